/** Methods that go through the elements of an array, or move them. */
const METHODS = ['filter', 'find', 'findIndex', 'includes', 'indexOf', 'shift', 'splice', 'unshift'] as const;

/**
 * How many elements of arrays were gone through while this ran: what a cost that grows with the square of the requests shows in,
 * on a busy machine as well as on an idle one.
 */
export async function countElements(run: () => Promise<void>): Promise<number> {
  let elements = 0;
  const originals = METHODS.map((name) => [name, Array.prototype[name]] as const);
  for (const [name, original] of originals) {
    const counted = function (this: unknown[], ...args: never[]): unknown {
      elements += this.length;
      return Reflect.apply(original, this, args);
    };
    Object.defineProperty(Array.prototype, name, { value: counted, writable: true, configurable: true });
  }
  try {
    await run();
  } finally {
    for (const [name, original] of originals) {
      Object.defineProperty(Array.prototype, name, { value: original, writable: true, configurable: true });
    }
  }
  return elements;
}
