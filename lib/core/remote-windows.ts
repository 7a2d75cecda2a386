import type { Cancel, Clock } from './ports/clock.js';

/** The longest remote window. It is longer than ten round trips to a server in the same region. */
const LONGEST_WINDOW_MS = 250;

/** If no waiter of another process used the longest window, there is none for so long: those subscribers may be dead. */
const NO_WINDOW_MS = 10_000;

/** The length of the window in round trips: the notification, the acquire, and the notification of their own release. */
const WINDOW_TRIPS = 10;

/** The time after a published release in which waiters of other processes may go first. */
export interface RemoteWindow {
  readonly untilMs: number;
  /** What a round trip takes. */
  readonly tripMs: number;
}

const NO_WINDOW: RemoteWindow = { untilMs: 0, tripMs: 0 };

interface OpenedWindow extends RemoteWindow {
  /** How many windows in a row no process has used: its waiters may be far away. */
  readonly missed: number;
  /** Until then no window is opened. */
  readonly noneUntilMs: number;
  /** Cancels the timer that forgets it. */
  readonly cancel: Cancel;
}

/** The remote windows of the queues of waiters, by the names of the queues. */
export class RemoteWindows {
  readonly #windows = new Map<string, OpenedWindow>();

  constructor(private readonly clock: Clock) {}

  of(queue: string): RemoteWindow {
    return this.#windows.get(queue) ?? NO_WINDOW;
  }

  /** Each time that no process uses the window the next one is twice as long, up to a limit. Then there is none for a while. */
  open(queue: string, tripMs: number): void {
    const nowMs = this.clock.nowMs();
    const present = this.#windows.get(queue);
    if (present !== undefined && nowMs < present.noneUntilMs) return;
    present?.cancel();
    const missed = present?.missed ?? 0;
    const windowMs = Math.min(LONGEST_WINDOW_MS, WINDOW_TRIPS * tripMs * 2 ** missed);
    const isLast = windowMs === LONGEST_WINDOW_MS && missed > 0;
    this.#windows.set(queue, {
      untilMs: nowMs + windowMs,
      tripMs,
      missed: isLast ? 0 : missed + 1,
      noneUntilMs: isLast ? nowMs + NO_WINDOW_MS : nowMs,
      cancel: this.clock.after(NO_WINDOW_MS, () => this.#windows.delete(queue), 'background'),
    });
  }

  /** A process has used it. */
  close(queue: string): void {
    this.#windows.get(queue)?.cancel();
    this.#windows.delete(queue);
  }
}
