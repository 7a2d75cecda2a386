import type { LockNode, NodeReply, NodeRequest } from '../../core/ports/lock-node.js';

/** Sends one request to one server, past the queue that locks go through. Rejects where the connection breaks. */
export function askNode(node: Pick<LockNode, 'execute'>, request: NodeRequest): Promise<NodeReply> {
  return new Promise((resolve, reject) => {
    const onReplies = ([reply]: readonly NodeReply[]): void => {
      if (reply === undefined) reject(new Error('A node gives one reply to each request.'));
      else resolve(reply);
    };
    node.execute([request], onReplies, reject);
  });
}
