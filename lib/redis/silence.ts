import type { Cancel, Clock } from '../core/ports/clock.js';

/** After this time without any answer a server is called silent. */
const SILENT_MS = 1000;

/** After this time without any answer a connection is given up: its other end may have vanished. */
const GIVE_UP_MS = 10_000;

/** Notices that a server does not answer what it was asked, and when it answers again. */
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

  /** Settles as the call does. */
  async watch<T>(call: Promise<T>): Promise<T> {
    if (this.#unanswered++ === 0) this.#lastReplyAtMs = this.clock.nowMs();
    this.#cancel ??= this.#lookIn(SILENT_MS);
    try {
      return await call;
    } finally {
      this.#unanswered--;
      this.#onReply();
    }
  }

  /** The connection is over, and with it all that was asked. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#isSilent = false;
  }

  #onReply(): void {
    this.#lastReplyAtMs = this.clock.nowMs();
    if (this.#isSilent) this.onChange(undefined);
    this.#isSilent = false;
  }

  #lookIn(delayMs: number): Cancel {
    // After a stall of the event loop the answer may be there, and not be read yet.
    const look = (): void => {
      this.clock.afterInput(() => {
        this.#look();
      });
    };
    return this.clock.after(delayMs, look, 'background');
  }

  #look(): void {
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
    this.#cancel = this.#lookIn((quietMs >= SILENT_MS ? GIVE_UP_MS : SILENT_MS) - quietMs);
  }
}
