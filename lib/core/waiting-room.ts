import { LinkedList, type Place } from './linked-list.js';
import type { Cancel, Clock } from './ports/clock.js';
import type { Holder } from './ports/lock-node.js';
import type { Vote } from './vote.js';

/**
 * So many times in a row a lock is handed on within this process. Then other processes are told, which have heard nothing
 * of it so far, and get a chance.
 */
const LONGEST_CHAIN = 5;

/** Nobody who may vote is further away than the others are waited for. */
const LONGEST_COURTESY_MS = 250;

/** Who did not come in all the time that was left to him is not waited for in the next time: he may be a ghost. */
const UNHEEDED_MS = 10_000;

/** What is left to those in other processes who were told of a release. */
export interface FirstGo {
  /** Until then it is theirs, if they want it. */
  readonly untilMs: number;
  /** What a round trip takes. */
  readonly tripMs: number;
}

/** How many round trips they get: to hear of it, to take it, and to be heard to give it back. */
const POLITE_TRIPS = 10;

const NOBODY: FirstGo = { untilMs: 0, tripMs: 0 };

interface Courtesy extends FirstGo {
  /** How often in a row they were told and nobody came: they may be far away. */
  readonly ignored: number;
  /** Until then they get no time at all. */
  readonly unheededUntilMs: number;
}

/** Which process was last known to hold the lock that a line waits for. */
export interface KnownHolder {
  readonly holder: Holder;
  readonly votes: readonly Vote[];
  readonly atMs: number;
}

interface Line {
  readonly turns: LinkedList<Turn>;
  known: KnownHolder | undefined;
}

/** A place in line. At the front it is this one's turn, and stays so until it leaves: when it has given up, or has had the lock. */
export class Turn {
  /** Resolves when it is this one's turn. */
  readonly begins: Promise<FirstGo>;
  /** The same, once it is. */
  begun: FirstGo | undefined;
  /** The lock was handed on to it, and nobody else has been told that it is free. */
  owesWord = false;
  /** It was not first in line when it came, or others had the first go. */
  hasWaited = true;
  /** Where it stands in line, until it leaves. */
  place: Place<Turn> | undefined;
  #begin: (others: FirstGo) => void = () => undefined;

  /** How many have had it in a row before this one, and up to whom it may go on so: those who come later let others pass. */
  #chain = 0;
  #lastNumber: number | undefined;

  constructor(
    readonly line: string,
    private readonly number: number,
    private readonly room: WaitingRoom,
  ) {
    this.begins = new Promise((resolve) => {
      this.#begin = resolve;
    });
  }

  /** Who takes the lock over as soon as this one leaves, so that nobody else need be told; nobody when it is the others' turn. */
  findHeir(): Turn | undefined {
    const next = this.room.next(this);
    this.#lastNumber ??= this.room.lastNumber;
    return next !== undefined && next.number <= this.#lastNumber && this.#chain + 1 < LONGEST_CHAIN ? next : undefined;
  }

  begin(others: FirstGo): void {
    this.begun = others;
    this.#begin(others);
  }

  /** Hands the lock on to the heir. */
  handOn(): void {
    const heir = this.findHeir();
    if (heir === undefined) return;
    heir.#chain = this.#chain + 1;
    heir.#lastNumber = this.#lastNumber;
    heir.owesWord = true;
    this.leave();
  }

  /** Leaves the lock to others, who were told of it. */
  yieldTo(tripMs: number): void {
    this.room.yieldTo(this.line, tripMs);
    this.leave();
  }

  /** Somebody else has it: whoever was told has come. */
  noteTaken(): void {
    this.room.noteTaken(this.line);
  }

  /** Harmless when it has left already. */
  leave(): void {
    this.room.leave(this);
  }
}

/**
 * Where the waiters of one process stand in line, in the order in which they came (P14). Only who is at the front asks
 * the servers, or listens to them; who has the lock keeps its place until it is over.
 *
 * There is a line for each key, and for each set of keys that are locked together: who wants two keys must not keep others
 * from the one that is free, and two lines are to each other as two processes.
 */
export class WaitingRoom {
  lastNumber = 0;
  readonly #lines = new Map<string, Line>();
  readonly #courtesies = new Map<string, { readonly courtesy: Courtesy; readonly cancel: Cancel }>();

  constructor(private readonly clock: Clock) {}

  enter(keys: readonly string[]): Turn {
    const line = JSON.stringify(keys);
    const turn = new Turn(line, ++this.lastNumber, this);
    const { turns, known } = this.#lines.get(line) ?? { turns: new LinkedList(), known: undefined };
    turn.place = turns.push(turn);
    if (turns.size > 1) return turn;
    this.#lines.set(line, { turns, known });
    const others = this.#firstGo(line);
    turn.hasWaited = others.untilMs > this.clock.nowMs();
    turn.begin(others);
    return turn;
  }

  /** Who comes after this one, if it is this one's turn. */
  next(turn: Turn): Turn | undefined {
    const { place } = turn;
    return place !== undefined && place.before === undefined ? place.after?.value : undefined;
  }

  /** What those behind this one may say when their wait is over. */
  noteHolder({ line: name }: Turn, holder: Holder, votes: readonly Vote[]): void {
    const line = this.#lines.get(name);
    if (line !== undefined) line.known = { holder, votes, atMs: this.clock.nowMs() };
  }

  knownHolder({ line }: Turn): KnownHolder | undefined {
    const { known } = this.#lines.get(line) ?? {};
    return known !== undefined && known.atMs + known.holder.remainingMs > this.clock.nowMs() ? known : undefined;
  }

  leave(turn: Turn): void {
    const { line, place } = turn;
    if (place === undefined) return;
    const wasFirst = place.before === undefined;
    const next = place.after?.value;
    place.list?.remove(place);
    turn.place = undefined;
    if (wasFirst && next === undefined) this.#lines.delete(line);
    else if (wasFirst) next?.begin(this.#firstGo(line));
  }

  /** Each time that nobody comes the others get twice as long, up to a limit; and then nothing for a while. */
  yieldTo(line: string, tripMs: number): void {
    const nowMs = this.clock.nowMs();
    const { courtesy, cancel } = this.#courtesies.get(line) ?? {};
    if (courtesy !== undefined && nowMs < courtesy.unheededUntilMs) return;
    cancel?.();
    const ignored = courtesy?.ignored ?? 0;
    const politeMs = Math.min(LONGEST_COURTESY_MS, POLITE_TRIPS * tripMs * 2 ** ignored);
    const enough = politeMs === LONGEST_COURTESY_MS && ignored > 0;
    const next: Courtesy = {
      untilMs: nowMs + politeMs,
      tripMs,
      ignored: enough ? 0 : ignored + 1,
      unheededUntilMs: enough ? nowMs + UNHEEDED_MS : nowMs,
    };
    const forget = this.clock.after(UNHEEDED_MS, () => this.#courtesies.delete(line), 'background');
    this.#courtesies.set(line, { courtesy: next, cancel: forget });
  }

  noteTaken(line: string): void {
    this.#courtesies.get(line)?.cancel();
    this.#courtesies.delete(line);
  }

  #firstGo(line: string): FirstGo {
    return this.#courtesies.get(line)?.courtesy ?? NOBODY;
  }
}
