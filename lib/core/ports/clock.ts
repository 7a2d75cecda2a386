/** Takes back what was scheduled. Harmless when it has already happened. */
export type Cancel = () => void;

/**
 * The only time that the algorithm knows. Validity is counted on the monotonic clock: it is a length of time, and a wall clock
 * that is set while a lock is held must not make it longer.
 */
export interface Clock {
  /** Monotonic milliseconds. Only differences mean anything. */
  nowMs(): number;

  /**
   * The time of day in milliseconds since 1970. It can be set, so no validity is counted on it. It also counts the time in which
   * the machine is suspended, which the monotonic clock does not.
   */
  wallMs(): number;

  /**
   * Calls back once, after at least `delayMs`, however long that is (a day as well as a year).
   *
   * A timer in the background does not keep the process alive: it guards something, nobody waits for it.
   */
  after(delayMs: number, callback: () => void, background?: 'background'): Cancel;

  /** Calls back once what has reached this process already has been read. */
  afterInput(callback: () => void): void;

  /** Calls back when this turn of the event loop has nothing more to say, so that what it asked for can travel together. */
  atEndOfTurn(callback: () => void): void;
}
