/**
 * The key under which a lock is kept on the servers: the prefix and the key. Where that would be called as one of the keys
 * beside a lock is, it gets a colon in front; and where it has a brace that closes nothing, a hash tag of its own, because
 * no other key can be made that is sure to share its slot.
 */
export function lockKey(prefix: string, key: string): string {
  const full = prefix + key;
  if (hashTag(full) === undefined && full.includes('}')) return companion(full, 'lock');
  return COMPANION.test(full) ? `:${full}` : full;
}

/** What of a key decides its shard: as on a Redis Cluster only its hash tag, if it has one, so that keys can be put together. */
export function shardKey(key: string): string {
  return hashTag(key) ?? key;
}

/**
 * The key that stands for one tick of a job, or for the interval that its last run holds: it stays behind when the lock is
 * given back. It has the hash tag of the first key of the lock, so that on a Redis Cluster they share a slot.
 *
 * @param names the job's name, or the keys of its lock where it has none, as the servers know them
 */
export function tickKey(lockKeys: readonly string[], which: number | 'interval', names = lockKeys): string {
  return jobCompanion(lockKeys, `tick:${which}`, names);
}

/** The key of the register of a job, which records its last runs and whether it is paused. Named as {@link tickKey} is. */
export function registerKey(lockKeys: readonly string[], names = lockKeys): string {
  return jobCompanion(lockKeys, 'job', names);
}

function jobCompanion(lockKeys: readonly string[], name: string, names: readonly string[]): string {
  const [first = ''] = lockKeys;
  const tag = hashTag(first);
  if (tag === undefined && names.length === 1 && names[0] === first) return companion(first, name);
  // As JSON, because keys may have any characters: joined, different lists could look alike.
  return `{${tag ?? first.replaceAll('}', ')')}}:${name}:${JSON.stringify(names)}`;
}

/** The key that counts the grants of a lock. */
export function counterKey(fullKey: string): string {
  return companion(fullKey, 'fence');
}

/** The key by which a server shows that it still has its data. */
export function markerKey(prefix: string): string {
  return companion(prefix, 'marker');
}

/** What a name on a server stands for: a lock, the claim of a tick (or of the interval that the last run holds), or the register of a job. */
export type NamedKey =
  | { readonly kind: 'lock'; readonly key: string }
  | { readonly kind: 'tick'; readonly names: readonly string[]; readonly which: number | 'interval' }
  | { readonly kind: 'job'; readonly names: readonly string[] };

/** The opposite of {@link lockKey}, {@link tickKey} and {@link registerKey}: undefined for other companions, and for what is not of this prefix. */
export function readName(prefix: string, name: string): NamedKey | undefined {
  const key = keyOf(prefix, name);
  if (key !== undefined) return { kind: 'lock', key };
  const [, tag, which, list] = OF_JOB.exec(name) ?? [];
  if (tag === undefined) return undefined;
  const names = (list === undefined ? [tag] : listIn(list)).map((each) => keyOf(prefix, each));
  if (names.length === 0 || !names.every((each) => each !== undefined)) return undefined;
  if (which === undefined) return { kind: 'job', names };
  return { kind: 'tick', names, which: which === 'interval' ? which : Number(which) };
}

const OF_JOB = /^\{([^}]*)\}:(?:tick:(interval|\d{1,16})|job)(?::(\[.*\]))?$/s;

/** The key of the lock that is kept under this name, if there is such a key. */
function keyOf(prefix: string, name: string): string | undefined {
  const wrapped = /^\{[^}]*\}:lock:/.exec(name)?.[0].length ?? 0;
  for (const start of [0, 1, wrapped]) {
    const key = name.slice(start + prefix.length);
    if (name.startsWith(prefix, start) && key !== '' && lockKey(prefix, key) === name) return key;
  }
  return undefined;
}

function listIn(json: string): string[] {
  try {
    const list = JSON.parse(json) as unknown[];
    return list.every((each) => typeof each === 'string') ? list : [];
  } catch {
    return []; // Another program may have written it.
  }
}

/** Where it is tried whether a server takes what a lock writes. A token is added for each trial. */
export function trialKey(prefix: string): string {
  return `${markerKey(prefix)}:trial`;
}

/** What may be mistaken for a companion, or for what has been made different from one. */
const COMPANION = /^:*\{[^}]*\}:(fence|tick|job|marker|lock)(:|$)/;

/**
 * A key beside a lock. It has the same hash tag as the lock, so that on a Redis Cluster the two share a slot. No lock is
 * kept under a key of this form.
 */
function companion(fullKey: string, name: string): string {
  const tag = hashTag(fullKey);
  if (tag === undefined && !fullKey.includes('}')) return `{${fullKey}}:${name}`;
  return `{${tag ?? fullKey.replaceAll('}', ')')}}:${name}:${fullKey}`;
}

/** What of a key decides its slot, where that is not all of it. Source: Redis cluster specification, "Hash tags". */
function hashTag(key: string): string | undefined {
  const open = key.indexOf('{');
  const close = key.indexOf('}', open + 1);
  return open >= 0 && close > open + 1 ? key.slice(open + 1, close) : undefined;
}
