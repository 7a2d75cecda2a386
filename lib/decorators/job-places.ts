/** The keys under which a job whose key a function makes has been locked last, in the order of its register. */
const known = new WeakMap<object, Map<string | symbol, readonly string[]>>();

/** The jobs of which it has changed. */
const changing = new WeakMap<object, Set<string | symbol>>();

/** The jobs that have not run yet: their keys were asked for before, when the host may not have been ready. */
const expected = new WeakMap<object, Set<string | symbol>>();

/** Notes the key of a run. */
export function noteKeys(host: object, propertyKey: string | symbol, key: string | readonly string[]): void {
  const isFirst = expected.get(host)?.delete(propertyKey) ?? false;
  const before = notedKeys(host, propertyKey);
  const keys = note(host, propertyKey, key);
  if (isFirst || before === undefined) return;
  if (before.length !== keys.length || before.some((each, index) => each !== keys[index])) {
    changing.set(host, (changing.get(host) ?? new Set()).add(propertyKey));
  }
}

/** Notes the key that a run will probably have. */
export function expectKeys(host: object, propertyKey: string | symbol, key: string | readonly string[]): void {
  if (notedKeys(host, propertyKey) !== undefined) return;
  note(host, propertyKey, key);
  expected.set(host, (expected.get(host) ?? new Set()).add(propertyKey));
}

function note(host: object, propertyKey: string | symbol, key: string | readonly string[]): readonly string[] {
  let methods = known.get(host);
  if (methods === undefined) known.set(host, (methods = new Map<string | symbol, readonly string[]>()));
  const keys = typeof key === 'string' ? [key] : [...new Set(key)].toSorted();
  methods.set(propertyKey, keys);
  return keys;
}

/** Whether the key has been another one before. */
export function keyChanges(host: object, propertyKey: string | symbol): boolean {
  return changing.get(host)?.has(propertyKey) ?? false;
}

export function notedKeys(host: object, propertyKey: string | symbol): readonly string[] | undefined {
  return known.get(host)?.get(propertyKey);
}
