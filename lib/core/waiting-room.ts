/**
 * So many times in a row a lock is handed on within this process. Then other processes get a chance: they have heard
 * nothing of it so far.
 */
const LONGEST_CHAIN = 5;

/** How the one before has ended, for the one who comes next. */
export interface Ending {
  /** How long to stay out of the way of those who were told, in other processes. */
  readonly politeMs: number;
}

/** A place in the queues of one lock's keys. At the front of all of them it is this one's turn. */
export class Turn {
  /** Resolves when it is this one's turn. */
  readonly begins: Promise<Ending>;

  /** How many have had it in a row before this one, without a word to other processes. */
  chain = 0;
  #begin: (ending: Ending) => void = () => undefined;

  constructor(
    readonly keys: readonly string[],
    private readonly room: WaitingRoom,
  ) {
    this.begins = new Promise((resolve) => {
      this.#begin = resolve;
    });
  }

  begin(ending: Ending): void {
    this.#begin(ending);
  }

  /**
   * The keys that somebody of this process takes over as soon as this one leaves, so that nobody else need be told. None
   * when so many have done so in a row that it is the others' turn.
   */
  heirsKeys(): ReadonlySet<string> {
    if (this.chain + 1 >= LONGEST_CHAIN) return new Set();
    return new Set(this.room.heirsOf(this).flatMap(({ keys }) => keys));
  }

  /** Hands on to those who come next. Harmless when it was done already. */
  leave(ending: Ending = { politeMs: 0 }, chain = 0): void {
    const heirs = this.room.heirsOf(this);
    if (!this.room.remove(this)) return;
    for (const heir of heirs) {
      heir.chain = chain;
      heir.begin(ending);
    }
  }
}

/**
 * Where the waiters of one process stand in line, for each key in the order in which they came (P14). Only who is at
 * the front asks the servers, or listens to them; who has the lock keeps its place until it is over.
 */
export class WaitingRoom {
  readonly #queues = new Map<string, Turn[]>();

  enter(keys: readonly string[]): Turn {
    const turn = new Turn(keys, this);
    for (const key of keys) {
      const queue = this.#queues.get(key);
      if (queue === undefined) this.#queues.set(key, [turn]);
      else queue.push(turn);
    }
    if (this.#isFirst(turn)) turn.begin({ politeMs: 0 });
    return turn;
  }

  /** Whose turn it is when this one has left. */
  heirsOf(turn: Turn): readonly Turn[] {
    const heirs = new Set<Turn>();
    for (const key of turn.keys) {
      const [first, second] = this.#queues.get(key) ?? [];
      if (first === turn && second !== undefined && this.#isFirst(second, turn)) heirs.add(second);
    }
    return [...heirs];
  }

  /** Returns whether it was there. */
  remove(turn: Turn): boolean {
    let found = false;
    for (const key of turn.keys) {
      const queue = this.#queues.get(key) ?? [];
      const index = queue.indexOf(turn);
      if (index < 0) continue;
      found = true;
      queue.splice(index, 1);
      if (queue.length === 0) this.#queues.delete(key);
    }
    return found;
  }

  #isFirst(turn: Turn, without?: Turn): boolean {
    return turn.keys.every((key) => {
      const [first, second] = this.#queues.get(key) ?? [];
      return (first === without ? second : first) === turn;
    });
  }
}
