import type { Clock } from './ports/clock.js';

/**
 * So many times in a row a lock is handed on within this process. Then other processes are told, which have heard nothing
 * of it so far, and get a chance.
 */
const LONGEST_CHAIN = 5;

/** For so long it is remembered that others were told, where nobody of this process waits for the same key. */
const MEMORY_MS = 1000;

/** How the others, in other processes, have been treated by those who had the lock before. */
interface Courtesy {
  /** Until then it is theirs, if they want it. */
  readonly untilMs: number;
  /** How often in a row they were told and have not got it: they may be far away. */
  readonly ignored: number;
}

/** A place in the queues of one lock's keys. At the front of all of them it is this one's turn. */
export class Turn {
  /** Resolves when it is this one's turn, with the instant until which others have the first go. */
  readonly begins: Promise<number>;
  /** The same, once it is. */
  begun: number | undefined;

  /** How many have had it in a row before this one, without a word to other processes. */
  chain = 0;
  ignored = 0;
  #begin: (untilMs: number) => void = () => undefined;

  constructor(
    readonly keys: readonly string[],
    private readonly room: WaitingRoom,
  ) {
    this.begins = new Promise((resolve) => {
      this.#begin = resolve;
    });
  }

  begin({ untilMs, ignored }: Courtesy, chain: number): void {
    this.chain = chain;
    this.ignored = ignored;
    this.begun = untilMs;
    this.#begin(untilMs);
  }

  /**
   * The keys that somebody of this process takes over as soon as this one leaves, so that nobody else need be told. None
   * when so many have done so in a row that it is the others' turn.
   */
  heirsKeys(): ReadonlySet<string> {
    if (this.chain + 1 >= LONGEST_CHAIN) return new Set();
    return new Set(this.room.heirsOf(this).flatMap(({ keys }) => keys));
  }

  /** Hands on to those of this process who come next, and who need not be told. */
  handOn(): void {
    this.room.leave(this, { untilMs: 0, ignored: this.ignored }, this.chain + 1);
  }

  /** Leaves the lock to others, who were told and have so long to take it. Each time that they do not manage, it is longer. */
  yieldFor(politeMs: number, longestMs: number): void {
    const untilMs = this.room.clock.nowMs() + Math.min(longestMs, politeMs * 2 ** Math.min(this.ignored, 30));
    this.room.leave(this, { untilMs, ignored: this.ignored + 1 }, 0);
  }

  /** Nobody else was told, or nobody listened. Harmless when it has left already. */
  leave(): void {
    this.room.leave(this, NONE, 0);
  }
}

const NONE: Courtesy = { untilMs: 0, ignored: 0 };

/**
 * Where the waiters of one process stand in line, for each key in the order in which they came (P14). Only who is at
 * the front asks the servers, or listens to them; who has the lock keeps its place until it is over.
 */
export class WaitingRoom {
  readonly #queues = new Map<string, Turn[]>();
  readonly #courtesies = new Map<string, Courtesy>();

  constructor(readonly clock: Clock) {}

  enter(keys: readonly string[]): Turn {
    const turn = new Turn(keys, this);
    for (const key of keys) {
      const queue = this.#queues.get(key);
      if (queue === undefined) this.#queues.set(key, [turn]);
      else queue.push(turn);
    }
    if (this.#isFirst(turn)) turn.begin(this.#courtesyFor(keys), 0);
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

  leave(turn: Turn, courtesy: Courtesy, chain: number): void {
    const heirs = this.heirsOf(turn);
    if (!this.#remove(turn)) return;
    for (const heir of heirs) heir.begin(courtesy, chain);
    if (heirs.length === 0 && courtesy.untilMs > this.clock.nowMs()) this.#remember(turn.keys, courtesy);
  }

  /** Returns whether it was there. */
  #remove(turn: Turn): boolean {
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

  /** For those who come later: a process that asks again and again must not keep the others out either. */
  #remember(keys: readonly string[], courtesy: Courtesy): void {
    for (const key of keys) this.#courtesies.set(key, courtesy);
    const forgetAfterMs = Math.max(0, courtesy.untilMs - this.clock.nowMs()) + MEMORY_MS;
    this.clock.after(
      forgetAfterMs,
      () => {
        for (const key of keys) if (this.#courtesies.get(key) === courtesy) this.#courtesies.delete(key);
      },
      'background',
    );
  }

  #courtesyFor(keys: readonly string[]): Courtesy {
    const all = keys.map((key) => this.#courtesies.get(key) ?? NONE);
    for (const key of keys) this.#courtesies.delete(key);
    return {
      untilMs: Math.max(...all.map(({ untilMs }) => untilMs)),
      ignored: Math.max(...all.map(({ ignored }) => ignored)),
    };
  }
}
