import { majorityOf } from '../../core/vote.js';
import { lockKey, readName } from '../keys.js';
import { scanServer, type ListRules, type ScannedServer } from '../lock-list.js';
import type { Shard } from '../shards.js';
import type { FoundJob } from './job-register.js';

/** A job that has a register on some server. */
export interface ListedJob {
  /** Its name, or the keys of its lock, joined by ", ". */
  readonly name: string;
  readonly found: FoundJob & {
    /** Whether the key of its lock is known. Otherwise a run that has no end may go on, although it is told as died. */
    readonly isLockCertain: boolean;
  };
}

export interface JobList {
  readonly jobs: readonly ListedJob[];
  readonly servers: readonly ScannedServer[];
  /** Whether every job that a majority of the servers knows is among them. */
  readonly isComplete: boolean;
}

/** The jobs that have registers on the servers of one shard, in the order of their names. */
export async function listJobs({ servers, quorum }: Shard, rules: Omit<ListRules, 'withTicks'>): Promise<JobList> {
  const scans = await Promise.all(servers.map((server) => scanServer(server, quorum, rules, ['job'])));
  const names = [...new Set(scans.flatMap(({ found }) => found))];
  const jobs = names.flatMap((register) => jobAt(register, rules.keyPrefix) ?? []);
  const scanned = scans.filter(({ state }) => state === 'scanned').length;
  return {
    jobs: jobs.toSorted((one, other) => (one.name < other.name ? -1 : 1)).slice(0, rules.limit),
    servers: scans.map(({ found: _, ...scan }) => scan),
    isComplete: jobs.length <= rules.limit && scanned > servers.length - majorityOf(servers.length),
  };
}

function jobAt(register: string, prefix: string): ListedJob | undefined {
  const is = readName(prefix, register);
  if (is?.kind !== 'job') return undefined;
  const { names } = is;
  return { name: names.join(', '), found: { register, ...lockOf(register, names, prefix), named: [names.join(', ')] } };
}

/**
 * The first key of its lock. A job is named by the keys of its lock, or has a name of its own: then only the hash tag of the register tells of the lock,
 * which is the key itself where the key has no hash tag.
 */
function lockOf(
  register: string,
  [first = '']: readonly string[],
  prefix: string,
): Pick<ListedJob['found'], 'lock' | 'isLockCertain'> {
  const tag = /^\{([^}]*)\}/.exec(register)?.[1] ?? '';
  const named = lockKey(prefix, first);
  if (named === tag || first.includes(`{${tag}}`)) return { lock: named, isLockCertain: true };
  if (readName(prefix, tag)?.kind === 'lock') return { lock: tag, isLockCertain: true };
  return { lock: named.includes(`{${tag}}`) ? named : register, isLockCertain: false };
}
