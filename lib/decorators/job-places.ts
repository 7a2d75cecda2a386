/** The keys under which a job whose key a function makes has been locked last. */
const known = new WeakMap<object, Map<string | symbol, readonly string[]>>();

/** The jobs of which it has changed. */
const changing = new WeakMap<object, Set<string | symbol>>();

export function noteKeys(host: object, propertyKey: string | symbol, key: string | readonly string[]): void {
  let methods = known.get(host);
  if (methods === undefined) known.set(host, (methods = new Map<string | symbol, readonly string[]>()));
  const [keys, before] = [[key].flat(), methods.get(propertyKey)];
  if (before !== undefined && (before.length !== keys.length || before.some((each, index) => each !== keys[index]))) {
    changing.set(host, (changing.get(host) ?? new Set()).add(propertyKey));
  }
  methods.set(propertyKey, keys);
}

/** Whether the key has been another one before. */
export function keyChanges(host: object, propertyKey: string | symbol): boolean {
  return changing.get(host)?.has(propertyKey) ?? false;
}

export function notedKeys(host: object, propertyKey: string | symbol): readonly string[] | undefined {
  return known.get(host)?.get(propertyKey);
}
