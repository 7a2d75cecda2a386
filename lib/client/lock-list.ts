import { inspect } from '../core/inspect.js';
import type { Quorum } from '../core/quorum.js';
import { majorityOf } from '../core/vote.js';
import type { LockInspection } from '../interfaces/index.js';
import { ownPrefixIn } from '../redis/connection.js';
import { literal, scanKeys } from '../redis/key-scan.js';
import { toInspection } from './inspection.js';
import { readName, type NamedKey } from './keys.js';
import { redisOf, type Server, type Shard } from './shards.js';

export interface ListRules {
  readonly keyPrefix: string;
  /** How many locks are listed at most; of the claims of ticks as many. */
  readonly limit: number;
  readonly withTicks: boolean;
  readonly timeoutMs: number;
  /** How many calls of SCAN one server gets at most. */
  readonly mostCalls?: number;
}

/** The claim of a tick of a job, as the servers see it. */
export interface TickClaim {
  /** The name of the job, or the keys of its lock. */
  readonly names: readonly string[];
  /** Its time in milliseconds, or the interval that the last run holds. */
  readonly which: number | 'interval';
  readonly inspection: LockInspection;
}

/** What has come of the scan of one server. */
export interface ScannedServer {
  readonly server: string;
  /** `cut`: a limit was reached first. */
  readonly state: 'scanned' | 'cut' | 'failed';
  readonly cause?: string;
}

export interface LockList {
  readonly locks: readonly LockInspection[];
  readonly ticks: readonly TickClaim[];
  readonly servers: readonly ScannedServer[];
  /** Whether every lock that a majority of the servers has is among them. */
  readonly isComplete: boolean;
}

/** Ten million keys: a server with more of them holds other data, and is not kept busy for longer. */
const MOST_CALLS = 10_000;

/** Longer than any name of a lock. The claim of a tick may be longer, where its lock has dozens of keys: that one is not listed. */
const LONGEST_NAME = 4096;

/** So many keys are looked up at once. */
const LOOK_UPS = 200;

/** The locks on the servers of one shard, in the order of their keys, each as all of its servers see it. */
export async function listLocks({ servers, quorum }: Shard, rules: ListRules): Promise<LockList> {
  const scans = await Promise.all(
    servers.map((server) => scanServer(server, quorum, rules, rules.withTicks ? ['lock', 'tick'] : ['lock'])),
  );
  const names = [...new Set(scans.flatMap(({ found }) => found))].toSorted();
  const named = names.map((name) => ({ name, is: readName(rules.keyPrefix, name) }));
  const locks = named.flatMap(({ name, is }) => (is?.kind === 'lock' ? { name, is } : []));
  const ticks = named.flatMap(({ name, is }) => (is?.kind === 'tick' ? { name, is } : []));
  const shown = await lookUp(quorum, locks.slice(0, rules.limit));
  const claims = await lookUp(quorum, ticks.slice(0, rules.limit));
  const scanned = scans.filter(({ state }) => state === 'scanned').length;
  const isCut = locks.length > rules.limit || ticks.length > rules.limit;
  return {
    locks: shown.map(({ inspection }) => inspection),
    ticks: claims.map(({ is: { names, which }, inspection }) => ({ names, which, inspection })),
    servers: scans.map(({ found: _, ...scan }) => scan),
    // Every majority shares a server with so many.
    isComplete: !isCut && scanned > servers.length - majorityOf(servers.length),
  };
}

type ScanLimits = Pick<ListRules, 'keyPrefix' | 'limit' | 'timeoutMs' | 'mostCalls'>;

/** The names on one server that belong to this prefix, of the kinds that are wanted; without what the client itself puts before them. */
export async function scanServer(
  server: Server,
  { clock }: Pick<Quorum, 'clock'>,
  { keyPrefix, limit, timeoutMs, mostCalls = MOST_CALLS }: ScanLimits,
  kinds: readonly NamedKey['kind'][],
): Promise<ScannedServer & { readonly found: readonly string[] }> {
  const { name, keyspace, clustered = false } = server.connection;
  const own = ownPrefixIn(keyspace);
  const kindOf = (name: string): string | undefined => {
    const kind = name.length <= LONGEST_NAME ? readName(keyPrefix, name.slice(own.length))?.kind : undefined;
    return kind !== undefined && kinds.includes(kind) ? kind : undefined;
  };
  try {
    // Its client sends each SCAN to a node of its choice.
    if (clustered) throw new Error('it is a Cluster, of which SCAN sees one node');
    // The prefix stands in the middle of the names of ticks, and of some locks.
    const pattern = `${literal(own)}*${literal(keyPrefix)}*`;
    const { names, isComplete } = await scanKeys(redisOf(server), clock, {
      pattern,
      kindOf,
      limit,
      mostCalls,
      timeoutMs,
    });
    const found = [...names].map((each) => each.slice(own.length));
    return { server: name, state: isComplete ? 'scanned' : 'cut', found };
  } catch (error) {
    return { server: name, state: 'failed', cause: (error as Error).message, found: [] };
  }
}

interface Named<K extends NamedKey> {
  readonly name: string;
  readonly is: K;
}

/** What the servers have under these names now. Those that are gone by now are left out. */
async function lookUp<K extends NamedKey>(
  quorum: Quorum,
  named: readonly Named<K>[],
): Promise<(Named<K> & { readonly inspection: LockInspection })[]> {
  const found: (Named<K> & { readonly inspection: LockInspection })[] = [];
  for (let start = 0; start < named.length; start += LOOK_UPS) {
    const some = named.slice(start, start + LOOK_UPS);
    const votes = await Promise.all(some.map(({ name }) => inspect(quorum, name)));
    for (const [index, each] of some.entries()) {
      const key = each.is.kind === 'lock' ? each.is.key : each.is.names.join(', ');
      const inspection = toInspection(key, votes[index] ?? []);
      if (inspection.servers.some(({ state }) => state === 'held')) found.push({ ...each, inspection });
    }
  }
  return found;
}
