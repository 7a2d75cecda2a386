import type { Grant } from './holder.interface.js';

/**
 * What is wrong with the fencing tokens of these grants, one sentence each. No wall clock is trusted: all times are of one
 * monotonic clock, and what they say of the order is certain.
 *
 * - No two grants have the same token.
 * - Who had the lock in hand later, while it was valid, has the larger token: two locks are never valid at once, so these
 *   grants have one order.
 * - Who began to ask after somebody else had the lock in hand has the larger token. That holds also for grants of which
 *   the holder has learned too late.
 */
export function disorder(grants: readonly Grant[]): string[] {
  return [...twins(grants), ...outOfTurn(grants), ...behind(grants)];
}

/** How many grants were made while the one before was still thought to be held: its holder stood still for too long. */
export function takeovers(grants: readonly Grant[]): number {
  const inOrder = grants.toSorted((one, other) => one.fence - other.fence);
  return inOrder.filter(({ overAtMs }, index) => (inOrder[index + 1]?.knownAtMs ?? Infinity) < overAtMs).length;
}

function twins(grants: readonly Grant[]): string[] {
  const seen = new Set<number>();
  return grants.flatMap(({ fence }) => {
    if (seen.has(fence)) return [`two grants have the token ${fence}`];
    seen.add(fence);
    return [];
  });
}

function outOfTurn(grants: readonly Grant[]): string[] {
  const inTime = grants.filter((grant) => grant.inTime).toSorted((one, other) => one.knownAtMs - other.knownAtMs);
  return inTime.flatMap(({ fence }, index) => {
    const before = inTime[index - 1];
    return before !== undefined && before.fence > fence ? [`held with ${before.fence}, and then with ${fence}`] : [];
  });
}

function behind(grants: readonly Grant[]): string[] {
  const known = grants.toSorted((one, other) => one.knownAtMs - other.knownAtMs);
  const asked = grants.toSorted((one, other) => one.askedAtMs - other.askedAtMs);
  let next = 0;
  let highest = 0;
  return asked.flatMap(({ fence, askedAtMs }) => {
    for (; (known[next]?.knownAtMs ?? Infinity) < askedAtMs; next++) highest = Math.max(highest, known[next]!.fence);
    return fence < highest ? [`known with ${highest}, and asked for later with ${fence}`] : [];
  });
}
