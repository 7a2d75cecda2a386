import type { AcquirePlan, Grant } from './acquire.js';
import type { HoldOptions } from './hold-options.js';
import { nodeTimeoutMs, type Quorum } from './quorum.js';
import { release, type Released } from './release.js';

/**
 * Releases a lock that was held, and lets those in who wait for it (P14). Who comes next in this process asks for it in the
 * same breath. If that is nobody, or it has been so for a while, others are told, and have the first go.
 */
export function releaseAndHandOver(
  quorum: Quorum,
  { keys, claims, ttlMs }: AcquirePlan,
  { token, grantedAtMs, turn }: Grant,
  { minHoldMs }: HoldOptions,
): Promise<Released> {
  const { clock, rules } = quorum;
  const releasedAtMs = clock.nowMs();
  const stays = grantedAtMs + minHoldMs > releasedAtMs;
  // Who waits for the end of the ttl must hear that it has come nearer.
  const successor = stays ? undefined : turn?.findSuccessor();
  const released = release(quorum, {
    keys,
    token,
    claims: claims.map(({ key }) => ({ key, ttlMs: 0, channel: successor === undefined ? key : undefined })),
    keepUntilMs: stays ? grantedAtMs + minHoldMs : undefined,
    timeoutMs: nodeTimeoutMs(rules, ttlMs),
  });
  if (successor !== undefined) turn?.handOver();
  if (turn === undefined) return released;
  return released.then(
    (result) => {
      if (result.heard > 0) turn.openRemoteWindow(clock.nowMs() - releasedAtMs);
      turn.leave();
      return result;
    },
    (error: unknown) => {
      turn.leave();
      throw error;
    },
  );
}
