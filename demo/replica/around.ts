import 'reflect-metadata';

type Method = (...args: unknown[]) => Promise<unknown>;

/**
 * Puts something around a method of a class from outside, as a decorator at the top of its list would: so the application
 * can be observed without code for that in it. Nest finds the metadata of the method's other decorators on it.
 */
export function around(prototype: object, name: string, advice: (proceed: () => Promise<unknown>) => Promise<unknown>) {
  const methods = prototype as Record<string, Method>;
  const method = methods[name];
  if (method === undefined) throw new Error(`There is no method ${name}.`);

  const watched: Method = function (this: unknown, ...args) {
    return advice(() => method.apply(this, args));
  };
  for (const key of Reflect.getMetadataKeys(method) as unknown[]) {
    Reflect.defineMetadata(key, Reflect.getMetadata(key, method), watched);
  }
  methods[name] = watched;
}
