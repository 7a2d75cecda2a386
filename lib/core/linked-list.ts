/** A place in a list, for the removal of its value from there. */
export class Place<T> {
  constructor(
    readonly value: T,
    /** The places beside it; undefined at the ends. */
    public before: Place<T> | undefined,
    public after: Place<T> | undefined,
    /** The list that it is in, until it is removed. */
    public list: LinkedList<T> | undefined,
  ) {}
}

/**
 * A queue that values may leave from any place. Each operation costs the same however long the queue is: an array takes as long
 * as it has elements to find one, or to close the gap, and 100,000 that leave cost 10,000,000,000 steps.
 */
export class LinkedList<T> {
  #first: Place<T> | undefined;
  #last: Place<T> | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get first(): Place<T> | undefined {
    return this.#first;
  }

  push(value: T): Place<T> {
    const place = new Place(value, this.#last, undefined, this);
    if (this.#last === undefined) this.#first = place;
    else this.#last.after = place;
    this.#last = place;
    this.#size++;
    return place;
  }

  unshift(value: T): Place<T> {
    const place = new Place(value, undefined, this.#first, this);
    if (this.#first === undefined) this.#last = place;
    else this.#first.before = place;
    this.#first = place;
    this.#size++;
    return place;
  }

  /** Returns whether the place was in this list. */
  remove(place: Place<T>): boolean {
    if (place.list !== this) return false;
    const { before, after } = place;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    place.before = place.after = place.list = undefined;
    this.#size--;
    return true;
  }

  *[Symbol.iterator](): Iterator<T> {
    for (let place = this.#first; place !== undefined; place = place.after) yield place.value;
  }
}
