import type { Cancel, Clock } from '../core/ports/clock.js';
import { CLOSED } from './connection.js';
import { assess, type Assessment, type Facts, type ServerStatus } from './server-status.js';
import type { Change } from './server-group.js';

/** The state of a server as it was reported last, and since when. A change is reported. */
export class ReportedState {
  #reported: Assessment = { state: 'connecting', reason: 'not connected yet', text: '' };
  #since: Date;
  /** Since when it does not vote, or undefined while it votes. */
  #awaySinceMs: number | undefined;
  #cancelQuarantine: Cancel = () => undefined;

  constructor(
    private readonly clock: Clock,
    private readonly facts: () => Facts,
    private readonly onChange: (change: Change) => void,
  ) {
    this.#since = new Date(clock.wallMs());
    this.#awaySinceMs = clock.nowMs();
  }

  get status(): ServerStatus {
    const { state, reason } = this.#assess();
    return { state, since: this.#since, ...(reason !== undefined && { reason }) };
  }

  /** The facts have changed. A timer notices the end of a quarantine. */
  update(): void {
    const from = this.#reported.state;
    this.#reported = this.#assess();
    const { state, reason, text } = this.#reported;
    const { guard, connection } = this.facts();
    const quarantineMs = state === 'quarantined' ? Math.ceil(guard.leftMs()) : undefined;
    const longestLeftMs = Math.ceil(guard.longestLeftMs);
    const isTold = (state === 'ready' || state === 'quarantined') && longestLeftMs > (quarantineMs ?? 0);
    const tickQuarantineMs = isTold ? longestLeftMs : undefined;
    this.#cancelQuarantine();
    if (quarantineMs !== undefined) {
      const onEnd = (): void => {
        this.update();
      };
      this.#cancelQuarantine = this.clock.after(quarantineMs, onEnd, 'background');
    }
    if (state === from) return;
    this.#since = new Date(this.clock.wallMs());
    this.#awaySinceMs ??= this.clock.nowMs();
    const notVotingMs = this.clock.nowMs() - this.#awaySinceMs;
    if (state === 'ready') this.#awaySinceMs = undefined;
    const isClosed = connection?.status === 'down' && connection.cause === CLOSED;
    if (!isClosed) this.onChange({ from, to: state, notVotingMs, reason, quarantineMs, tickQuarantineMs, text });
  }

  /** The state stays as it was until a new connection shows a different one. */
  #assess(): Assessment {
    return assess(this.facts()) ?? this.#reported;
  }
}
