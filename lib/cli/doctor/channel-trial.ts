import type { Cancel, Clock } from '../../core/ports/clock.js';
import type { LockNode } from '../../core/ports/lock-node.js';
import { askNode } from './ask-node.js';
import { untilOver, withinMs } from '../../core/wait.js';

/**
 * Whether a message that the lock script publishes arrives where this process listens: which permission is missing, or undefined.
 * Locks work without it, but their waiters are not notified. Rejects where the connection breaks.
 */
export async function tryChannels(
  node: Pick<LockNode, 'execute' | 'listen'>,
  clock: Clock,
  channel: string,
  timeoutMs: number,
): Promise<string | undefined> {
  let cancel: Cancel | undefined;
  let onReleased: (told: number) => void = () => undefined;
  const released = new Promise<number>((resolve) => (onReleased = resolve));
  try {
    const hears = await untilOver<boolean>(clock, timeoutMs, undefined, (resolve) => {
      const onHearing = (now: boolean): void => {
        if (now) resolve(true);
      };
      cancel = node.listen(channel, { onHearing, onReleased });
    });
    if (hears === undefined) return 'no subscription: SUBSCRIBE, or its channel, may not be allowed';
    await askNode(node, { kind: 'tell', token: '-', owner: '', claims: [{ key: channel, ttlMs: 0, channel }] });
    const told = await withinMs(clock, released, timeoutMs);
    if (told === undefined) return 'no message: PUBLISH, or its channel, may not be allowed';
    return told > 0 ? undefined : 'no number of listeners: PUBSUB NUMSUB may not be allowed';
  } finally {
    cancel?.();
  }
}
