const EMPTY: unknown[] = [{}];
EMPTY.pop(); // It stays a list of objects for V8: one of nothing yet changes its kind with the first of them.

/**
 * An empty list, for what lives as long as a question to the servers.
 *
 * V8 watches how long the lists live that a `[]` in the code makes. Where most outlive two small collections, as those of questions do, it makes
 * them in the old generation from then on. There they keep what they refer to until the next collection of the whole heap: four
 * tenths of what locks allocate, and pauses that come with it. It does not watch copies. The same goes for `{}`: what each lock makes of
 * objects that refer to others is made by a class.
 */
export function youngList<T>(): T[] {
  return EMPTY.slice() as T[];
}
