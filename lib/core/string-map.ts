/**
 * A map for entries that come and go with each lock.
 *
 * A `Map` moves to a new table each time that so many entries were deleted, and its old table refers to the new one. When one table has
 * reached the old generation of the garbage collector, it keeps all that follow it, with what was in them, until the next collection of
 * the whole heap: a tenth of what locks allocate lived on for that long. The tables of an object without a prototype do not refer to each other.
 */
export class StringMap<V extends object> {
  #values = table<V>();

  get(key: string): V | undefined {
    return this.#values[key];
  }

  has(key: string): boolean {
    return this.#values[key] !== undefined;
  }

  set(key: string, value: V): void {
    this.#values[key] = value;
  }

  delete(key: string): void {
    // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- the object is a table, and has no other properties
    delete this.#values[key];
  }

  clear(): void {
    this.#values = table<V>();
  }

  /** In no particular order. */
  keys(): string[] {
    return Object.keys(this.#values);
  }

  /** In no particular order. */
  values(): V[] {
    return Object.values(this.#values) as V[];
  }
}

function table<V>(): Record<string, V | undefined> {
  return Object.create(null) as Record<string, V | undefined>;
}
