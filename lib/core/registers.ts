import { QuorumUnreachableError } from './errors/quorum-unreachable.error.js';
import { askServers } from './ask-servers.js';
import type { PauseState } from './ports/job-note.js';
import type { Quorum } from './quorum.js';
import { completeVerdict } from './verdicts.js';
import { count, majorityOf, type Vote } from './vote.js';

/** Where the servers keep what concerns one job. */
export interface JobKeys {
  /** Its register. */
  readonly register: string;
  /** The first key of its lock. */
  readonly lock: string;
  /** The keys of its lock as the user knows them, for errors. */
  readonly named: readonly string[];
}

/** No process has this token. */
const NOBODY = '-';

const NO_RUN = { trigger: 'manual', tickMs: 0, startedAtMs: 0 } as const;

/**
 * Asks every server for the register of the job and for the holder of its lock. Waits for all of them, within one node timeout, or for
 * what is enough: any majority shares a server with the one that has taken a pause.
 *
 * @throws QuorumUnreachableError fewer than a majority have answered: a run or a pause that a majority knows may be missing
 */
export async function readRegisters(
  quorum: Quorum,
  { register, lock, named }: JobKeys,
  enough: 'all' | 'majority' = 'all',
): Promise<readonly Vote[]> {
  const { owner, nodeTimeoutMs } = quorum.rules;
  const claims = [{ key: lock, ttlMs: 0 }];
  const request = { kind: 'read', token: NOBODY, owner, claims, job: { key: register, start: NO_RUN } } as const;
  const isRead = (some: readonly Vote[]): boolean => count(some, 'read') >= majorityOf(quorum.queues.length);
  const verdictOf = (some: readonly Vote[], servers: number): 'complete' | undefined =>
    enough === 'majority' && isRead(some) ? 'complete' : completeVerdict(some, servers);
  const { votes } = await askServers(quorum, request, nodeTimeoutMs, { verdictOf });
  if (isRead(votes)) return votes;
  throw new QuorumUnreachableError('read the register of', named, quorum.queues.length, votes);
}

/**
 * Brings a pause, or its end, to the servers, and that ticks up to this one need no run any more. Resolves when a majority has it: from then on no other majority can grant the job's lock
 * against it.
 *
 * @throws QuorumUnreachableError no majority has taken it within one node timeout. Some servers may have, and then it may take effect yet
 */
export async function steer(
  quorum: Quorum,
  { register, named }: JobKeys,
  pause: PauseState,
  coveredMs: number,
): Promise<void> {
  const servers = quorum.queues.length;
  const verdictOf = (votes: readonly Vote[]): 'taken' | 'refused' | undefined => {
    if (count(votes, 'steered') >= majorityOf(servers)) return 'taken';
    return servers - (votes.length - count(votes, 'steered')) < majorityOf(servers) ? 'refused' : undefined;
  };
  const { owner, nodeTimeoutMs } = quorum.rules;
  const request = { ...steering(register, owner), pause, coveredMs };
  const { verdict, votes } = await askServers(quorum, request, nodeTimeoutMs, { verdictOf });
  if (verdict === 'refused') throw new QuorumUnreachableError('change the register of', named, servers, votes);
}

/** Tells the servers of a tick that needs no run any more, and waits for no answer. */
export function cover({ queues, rules }: Quorum, { register }: JobKeys, coveredMs: number): void {
  for (const queue of queues) queue.send({ ...steering(register, rules.owner), coveredMs });
}

/** A request that changes the register and looks at no lock. */
export function steering(
  register: string,
  owner: string,
): {
  kind: 'steer';
  token: string;
  owner: string;
  claims: { key: string; ttlMs: number }[];
  job: { key: string; start: typeof NO_RUN };
} {
  return {
    kind: 'steer',
    token: NOBODY,
    owner,
    claims: [{ key: register, ttlMs: 0 }],
    job: { key: register, start: NO_RUN },
  };
}
