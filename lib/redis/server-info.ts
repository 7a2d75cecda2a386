/** What the INFO of a server says that matters to locks. */
export interface ServerInfo {
  /** Another one after every start. */
  readonly runId: string | undefined;
  readonly uptimeMs: number;
  readonly version: string | undefined;
  readonly replica: boolean;
  /** Whether it was a replica before it became a master: it has what had come through to it by then, and no more. */
  readonly promoted: boolean;
  /** Another one with every master that it follows, and when it becomes one. */
  readonly history: string | undefined;
  readonly cluster: boolean;
  /** Whether it writes every change to a file, and so has its data back after a restart. */
  readonly appendOnly: boolean;
  /** Its eviction policy, if it may evict. */
  readonly evicts: string | undefined;
}

export function parseInfo(text: string): ServerInfo {
  const fields = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  const policy = fields.get('maxmemory_policy');
  const limited = (fields.get('maxmemory') ?? '0') !== '0';
  return {
    runId: fields.get('run_id'),
    uptimeMs: Number(fields.get('uptime_in_seconds') ?? 0) * 1000,
    version: fields.get('valkey_version') ?? fields.get('redis_version'),
    replica: ['slave', 'replica'].includes(fields.get('role') ?? 'master'),
    history: fields.get('master_replid'),
    promoted: /[1-9a-f]/.test(fields.get('master_replid2') ?? ''),
    cluster: fields.get('redis_mode') === 'cluster' || fields.get('cluster_enabled') === '1',
    appendOnly: fields.get('aof_enabled') === '1',
    evicts: limited && policy !== undefined && policy !== 'noeviction' ? policy : undefined,
  };
}

/** What endangers locks on this server, one sentence each. */
export function dangersOf(info: ServerInfo): string[] {
  const dangers: string[] = [];
  if (info.evicts !== undefined) {
    dangers.push(`may evict locks when its memory is full (maxmemory-policy ${info.evicts}); set noeviction`);
  }
  if (info.cluster) dangers.push('is a node of a cluster: give the module a Cluster client instead');
  return dangers;
}

/** What endangers locks on a Cluster, at which nobody can look as at one server. */
export const CLUSTER_DANGER =
  'is a Cluster: a failover may forget locks there, and is not seen; independent servers are safer';

/** What is merely good to know: the restart guard copes with it. */
export function notesOn(info: ServerInfo): string[] {
  return info.appendOnly ? [] : ['forgets its locks when it restarts (no append-only file); it is quarantined then'];
}
