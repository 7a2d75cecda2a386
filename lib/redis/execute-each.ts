import type { LockNode, NodeReply, NodeRequest } from '../core/ports/lock-node.js';

/** Executes each request as a batch of its own. On a Cluster a script may use keys of one slot only. */
export function executeEach(
  execute: LockNode['execute'],
  requests: readonly NodeRequest[],
  onReplies: (replies: readonly NodeReply[]) => void,
  onError: (cause: unknown) => void,
): void {
  const all: NodeReply[] = [];
  let missing = requests.length;
  let hasFailed = false;
  requests.forEach((request, index) => {
    const onReply = ([reply]: readonly NodeReply[]): void => {
      if (reply !== undefined) all[index] = reply;
      if (--missing === 0) onReplies(all);
    };
    execute([request], onReply, (cause) => {
      if (!hasFailed) onError(cause);
      hasFailed = true;
    });
  });
}
