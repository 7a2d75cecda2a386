import { printable } from '../core/printable.js';
import type { ServerWarning } from './server-status.js';

/** The fields of a server's INFO that matter to locks. The server may be hostile, so no field is longer than a log line allows. */
export interface ServerInfo {
  /** Changes with each start of the server. */
  readonly runId: string | undefined;
  /** A lower bound. */
  readonly uptimeMs: number;
  readonly version: string | undefined;
  readonly replica: boolean;
  /** Whether it was a replica before it became a master. It has only the data that had been replicated by then. */
  readonly promoted: boolean;
  /** Changes when it follows a different master, and when it becomes a master. */
  readonly history: string | undefined;
  readonly cluster: boolean;
  /** Whether it keeps no data, but watches over servers that do. */
  readonly sentinel: boolean;
  /**
   * Whether it writes each change to a file, from which it restores its data after a restart. Redis says no as long as it reads
   * that file (`loading`), because it writes nothing to it meanwhile.
   */
  readonly appendOnly: boolean;
  /** Whether it writes that file anew. Until a file that was turned on has been written, a restart brings back the one before. */
  readonly rewriting: boolean;
  /** Its eviction policy, if it may evict. */
  readonly evicts: string | undefined;
  /** Whether it still reads its data from disk. Until it has, it grants no lock. */
  readonly loading: boolean;
}

/** Longer than any version, run id or policy. */
const LONGEST_FIELD = 64;

export function parseInfo(text: string): ServerInfo {
  const fields = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.set(line.slice(0, colon), printable(line.slice(colon + 1).trim(), LONGEST_FIELD));
  }
  const policy = fields.get('maxmemory_policy');
  const limited = (fields.get('maxmemory') ?? '0') !== '0';
  // Redis subtracts two times in whole seconds, so a server that started 20 ms ago may report an uptime of a second.
  const uptimeMs = (Number(fields.get('uptime_in_seconds') ?? 0) - 1) * 1000;
  return {
    runId: fields.get('run_id'),
    uptimeMs: uptimeMs >= 0 ? uptimeMs : 0,
    version: fields.get('valkey_version') ?? fields.get('redis_version'),
    replica: ['slave', 'replica'].includes(fields.get('role') ?? 'master'),
    history: fields.get('master_replid'),
    promoted: /[1-9a-f]/.test(fields.get('master_replid2') ?? ''),
    cluster: fields.get('redis_mode') === 'cluster' || fields.get('cluster_enabled') === '1',
    sentinel: fields.get('redis_mode') === 'sentinel',
    appendOnly: fields.get('aof_enabled') === '1',
    rewriting: ['aof_rewrite_in_progress', 'aof_rewrite_scheduled'].some((name) => fields.get(name) === '1'),
    evicts: limited && policy !== undefined && policy !== 'noeviction' ? policy : undefined,
    loading: (fields.get('loading') ?? '0') !== '0',
  };
}

/** What endangers locks on this server, or is good to know. */
export function warningsOn({ evicts, cluster, sentinel, appendOnly, loading }: ServerInfo): ServerWarning[] {
  const warnings: ServerWarning[] = [];
  if (evicts !== undefined) {
    const message = `may evict locks when its memory is full (maxmemory-policy ${evicts}); set noeviction`;
    warnings.push({ code: 'may-evict', message });
  }
  if (cluster) {
    const message = 'is a node of a cluster: give the module a Cluster client instead';
    warnings.push({ code: 'cluster-node', message });
  }
  if (!appendOnly && !loading && !sentinel) {
    const message = 'forgets its locks when it restarts (no append-only file): then it will be quarantined';
    warnings.push({ code: 'no-append-only-file', message });
  }
  return warnings;
}

/** A Cluster is not inspected, because the INFO of one of its servers says nothing about the others. */
export const CLUSTER_WARNING: ServerWarning = {
  code: 'cluster',
  message: 'is a Cluster: a failover may forget locks there, and is not seen; independent servers are safer',
};

export function notInspected(cause: Error): ServerWarning {
  return {
    code: 'not-inspected',
    message: `does not answer INFO, so its restarts may go unnoticed: ${cause.message}`,
  };
}
