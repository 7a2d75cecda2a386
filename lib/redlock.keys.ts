/** The key under which a lock is kept on the servers. */
export function lockKey(prefix: string, key: string): string {
  return prefix + key;
}

/** What of a key decides its shard: as on a Redis Cluster only its hash tag, if it has one, so that keys can be put together. */
export function shardKey(key: string): string {
  return hashTag(key) ?? key;
}

/** The key that stands for one tick of a lock, which is on all of these keys. */
export function tickKey([first = '', ...others]: readonly string[], atMs: number): string {
  return companion(first, ['tick', atMs, ...others].join(':'));
}

/** The key that counts the grants of a lock. */
export function counterKey(fullKey: string): string {
  return companion(fullKey, 'fence');
}

/** The key by which a server shows that it still has its data. */
export function markerKey(prefix: string): string {
  return `{${prefix}}:marker`;
}

/**
 * A key beside a lock. It has the same hash tag as the lock, so that on a Redis Cluster the two share a slot, and it begins
 * with a brace, so that it is never the key of another lock.
 */
function companion(fullKey: string, name: string): string {
  const tag = hashTag(fullKey);
  return tag === undefined ? `{${fullKey}}:${name}` : `{${tag}}:${name}:${fullKey}`;
}

/** What of a key decides its slot, where that is not all of it. Source: Redis cluster specification, "Hash tags". */
function hashTag(key: string): string | undefined {
  const open = key.indexOf('{');
  const close = key.indexOf('}', open + 1);
  return open >= 0 && close > open + 1 ? key.slice(open + 1, close) : undefined;
}
