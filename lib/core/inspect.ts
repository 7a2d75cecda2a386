import { judgeEveryone } from './ballot.js';
import type { Courier } from './courier.js';
import { poll } from './poll.js';
import type { NodeRequest } from './ports/lock-node.js';
import type { Quorum } from './quorum.js';
import type { Vote } from './vote.js';

/** Nobody has this token: every holder is somebody else. */
const NOBODY = '-';

/** Asks every server who has the key, and waits for all of them, within one node timeout. It changes nothing. */
export async function inspect(quorum: Quorum, key: string): Promise<readonly Vote[]> {
  const { rules, couriers } = quorum;
  return await askAll(quorum, couriers, about('inspect', key, NOBODY, rules.owner), rules.nodeTimeoutMs);
}

/** What came of a removal, and whose locks were to be removed. */
export interface Removal {
  readonly votes: readonly Vote[];
  readonly tokens: ReadonlySet<string>;
}

/**
 * Deletes the lock that each server has on the key, whoever holds it, within one node timeout. Each is asked first whom it
 * sees, and then to delete that very lock: a command that is held up on its way must not take the lock of the next one.
 */
export async function remove(quorum: Quorum, key: string): Promise<Removal> {
  const { clock, couriers, rules } = quorum;
  const endAtMs = clock.nowMs() + rules.nodeTimeoutMs;
  const tokens = new Set<string>();
  const ask = (courier: Courier, kind: 'inspect' | 'remove', token: string): Promise<readonly Vote[]> =>
    askAll(quorum, [courier], about(kind, key, token, rules.owner), Math.max(0, endAtMs - clock.nowMs()));

  const removeAt = async (courier: Courier, position: number): Promise<readonly Vote[]> => {
    let votes = await ask(courier, 'inspect', NOBODY);
    const [seen] = votes;
    if (seen?.outcome === 'seen') {
      tokens.add(seen.holder.token);
      votes = await ask(courier, 'remove', seen.holder.token);
    }
    return votes.map((vote) => ({ ...vote, position }));
  };
  const votes = (await Promise.all(couriers.map(removeAt))).flat();
  return { votes, tokens };
}

function about(kind: 'inspect' | 'remove', key: string, token: string, owner: string): NodeRequest {
  return { kind, token, owner, claims: [{ key, ttlMs: 0, channel: key }] };
}

async function askAll(
  { clock }: Quorum,
  couriers: readonly Courier[],
  request: NodeRequest,
  timeoutMs: number,
): Promise<readonly Vote[]> {
  const { votes } = await poll({ couriers, clock }, request, timeoutMs, { judge: judgeEveryone });
  return votes;
}
