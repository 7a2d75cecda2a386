import type { LockNode, NodeReply, NodeRequest } from '../../lib/core/ports/lock-node.js';

/** Asks a node as the queue does, and waits for the replies. */
export function execute(node: LockNode, requests: readonly NodeRequest[]): Promise<readonly NodeReply[]> {
  return new Promise((resolve, reject) => {
    node.execute(requests, resolve, reject);
  });
}
