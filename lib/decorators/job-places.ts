/** The keys under which a job whose key a function makes has been locked last. */
const known = new WeakMap<object, Map<string | symbol, readonly string[]>>();

export function noteKeys(host: object, propertyKey: string | symbol, key: string | readonly string[]): void {
  let methods = known.get(host);
  if (methods === undefined) known.set(host, (methods = new Map<string | symbol, readonly string[]>()));
  methods.set(propertyKey, [key].flat());
}

export function notedKeys(host: object, propertyKey: string | symbol): readonly string[] | undefined {
  return known.get(host)?.get(propertyKey);
}
