import type { Cancel, Clock } from '../core/ports/clock.js';

/** A server that has not answered for this time is silent. */
const SILENT_MS = 1000;

/** A connection without an answer for this time is closed, because its other end may have vanished. */
const GIVE_UP_MS = 10_000;

/** Notices when a server does not answer its commands, and when it answers again. */
export class Silence {
  #unanswered = 0;
  #lastReplyAtMs = 0;
  #isSilent = false;
  #cancel: Cancel | undefined;

  constructor(
    private readonly clock: Clock,
    /** For how long there has been no answer; undefined when there is one again. */
    private readonly onChange: (forMs: number | undefined) => void,
    /** Called after a long silence. */
    private readonly onGiveUp: (forMs: number) => void = () => undefined,
  ) {}

  onSent(): void {
    if (this.#unanswered++ === 0) this.#lastReplyAtMs = this.clock.nowMs();
    this.#cancel ??= this.#checkIn(SILENT_MS);
  }

  /** A command is answered, or has failed. */
  onReply(): void {
    this.#unanswered--;
    this.#lastReplyAtMs = this.clock.nowMs();
    if (this.#isSilent) this.onChange(undefined);
    this.#isSilent = false;
  }

  /** The connection has ended, and no command is answered any more. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#isSilent = false;
  }

  #checkIn(delayMs: number): Cancel {
    // After a pause of the event loop the answer may have been received, but not read.
    const check = (): void => {
      this.clock.afterInput(() => {
        this.#check();
      });
    };
    return this.clock.after(delayMs, check, 'background');
  }

  #check(): void {
    if (this.#cancel === undefined) return;
    this.#cancel = undefined;
    if (this.#unanswered === 0) return;
    const quietMs = this.clock.nowMs() - this.#lastReplyAtMs;
    if (quietMs >= GIVE_UP_MS) {
      this.onGiveUp(GIVE_UP_MS);
      return;
    }
    if (quietMs >= SILENT_MS && !this.#isSilent) {
      this.#isSilent = true;
      this.onChange(SILENT_MS);
    }
    this.#cancel = this.#checkIn((quietMs >= SILENT_MS ? GIVE_UP_MS : SILENT_MS) - quietMs);
  }
}
