import { LockContendedError, type Lock } from 'redlock-nestjs';
import type { EventOf } from '../../history/events.js';
import type { SharedClock } from '../shared-clock.js';
import type { HistoryWriter } from '../history-writer.js';
import { DRIFT_FACTOR } from './replica.interface.js';

const LOOK_EVERY_MS = 10;

type Asked = Omit<EventOf<'asked'>, 'kind' | 'atMs' | 'client' | 'attempt'>;

/** Writes down what becomes of each call of this process. */
export class Recorder {
  /** From then on calls are skipped because of the shutdown. */
  closing = false;
  /** How many failed releases were logged: `withLock` reports them only to the log. */
  releasesFailed = 0;
  readonly #held = new Set<AttemptLog>();
  #attempts: number;
  #calls: number;

  constructor(
    readonly client: string,
    firstAttempt: number,
    readonly writer: HistoryWriter,
    readonly sharedClock: SharedClock,
  ) {
    this.#attempts = firstAttempt;
    this.#calls = firstAttempt;
    // No call shows an automatic extension: its effect is visible on the lock.
    setInterval(() => {
      for (const log of this.#held) log.look();
    }, LOOK_EVERY_MS).unref();
  }

  ask(asked: Asked): AttemptLog {
    const attempt = this.#attempts++;
    this.writer.write({ kind: 'asked', client: this.client, attempt, ...asked });
    return new AttemptLog(this, attempt);
  }

  nextCall(): number {
    return this.#calls++;
  }

  hold(log: AttemptLog): void {
    this.#held.add(log);
  }

  letGo(log: AttemptLog): void {
    this.#held.delete(log);
  }
}

/** One call of acquire, and the lock that it gives. */
export class AttemptLog {
  #lock: Lock | undefined;
  #validUntilMs = 0;
  #settled = false;
  #releasedAfter: number | undefined;

  constructor(
    private readonly recorder: Recorder,
    readonly attempt: number,
  ) {}

  get granted(): boolean {
    return this.#lock !== undefined;
  }

  /** The client's own signal is about to abort. */
  cancel(): void {
    if (!this.#settled) this.recorder.writer.write({ kind: 'cancelled', attempt: this.attempt });
  }

  grant(lock: Lock): void {
    const { writer, sharedClock } = this.recorder;
    this.#settled = true;
    this.#lock = lock;
    this.#validUntilMs = sharedClock.nowMs() + lock.remaining;
    const { token, fencingToken: fence } = lock;
    writer.write({ kind: 'granted', attempt: this.attempt, token, fence, validUntilMs: this.#validUntilMs });
    const onAbort = (): void => {
      this.recorder.letGo(this);
      writer.write({ kind: 'aborted', attempt: this.attempt, reason: (lock.signal.reason as Error).message });
    };
    if (lock.signal.aborted) return onAbort();
    lock.signal.addEventListener('abort', onAbort, { once: true });
    this.recorder.hold(this);
  }

  /** Does nothing where the lock was granted: the error is then one of the work, or the loss of the lock. */
  refuse(error: unknown, reason = reasonOf(error)): void {
    if (this.#settled) return;
    this.#settled = true;
    const code = typeof error === 'string' ? error : codeOf(error);
    const why = error instanceof Error ? { why: error.message } : {};
    const about = { attempt: this.attempt, code, ...(reason !== undefined && { reason }) };
    this.recorder.writer.write({ kind: 'refused', ...about, ...why });
  }

  begin(): void {
    this.recorder.writer.write({ kind: 'began', attempt: this.attempt });
  }

  end(failed = false): void {
    this.recorder.writer.write({ kind: 'ended', attempt: this.attempt, ...(failed && { failed }) });
  }

  /**
   * The lock is about to be given back. Returns whether there is anything left to give. After a step of the clock a lock may be
   * in doubt, and so not held for sure: it is given back like any other.
   */
  release(): boolean {
    if (this.#lock === undefined || (!this.#lock.isHeld() && this.#lock.signal.aborted)) return false;
    this.look();
    this.recorder.letGo(this);
    this.recorder.writer.write({ kind: 'releasing', attempt: this.attempt });
    this.#releasedAfter = this.recorder.releasesFailed;
    return true;
  }

  /** The release has ended. Without a code, the log shows whether it succeeded. */
  finish(code?: string): void {
    if (this.#releasedAfter === undefined) return;
    const clean = this.#releasedAfter === this.recorder.releasesFailed;
    const how = code ?? (clean ? undefined : 'RELEASE_FAILED');
    this.recorder.writer.write({ kind: 'released', attempt: this.attempt, ...(how !== undefined && { code: how }) });
  }

  /**
   * To be called before the lock is extended. A shorter ttl counts from the moment it is sent. A process that is stopped during
   * the extension can write nothing afterwards, so the event is written before it.
   */
  extend(ttlMs: number): (code?: string) => void {
    this.#believe(Math.min(this.#validUntilMs, this.recorder.sharedClock.nowMs() + validityMs(ttlMs)));
    const call = this.recorder.nextCall();
    this.recorder.writer.write({ kind: 'extending', attempt: this.attempt, call, ttlMs });
    return (code) => {
      this.recorder.writer.write({ kind: 'extendSettled', call, ...(code !== undefined && { code }) });
      this.look();
    };
  }

  /** Whether the lock believes in another end of its validity than before. */
  look(): void {
    const remainingMs = this.#lock?.remaining ?? 0;
    if (remainingMs > 0) this.#believe(this.recorder.sharedClock.nowMs() + remainingMs);
  }

  #believe(validUntilMs: number): void {
    if (Math.abs(validUntilMs - this.#validUntilMs) < 0.5) return;
    this.#validUntilMs = validUntilMs;
    this.recorder.writer.write({ kind: 'extended', attempt: this.attempt, validUntilMs });
  }
}

/** The README's formula, for a ttl that begins now. */
function validityMs(ttlMs: number): number {
  return ttlMs - (ttlMs * DRIFT_FACTOR + 2);
}

/** Why a lock is contended. */
function reasonOf(error: unknown): string | undefined {
  return error instanceof LockContendedError ? error.reason : undefined;
}

/** The code of an error of ours, or what else is known of it. */
export function codeOf(error: unknown): string {
  if (error instanceof Cancellation) return 'CANCELLED';
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : 'THROWN';
}

/** The reason with which a client cancels its own waiting. */
export class Cancellation extends Error {}
