import type { LockHandle } from '../../lib/core/lock.js';
import { RedlockError } from '../../lib/core/errors/index.js';
import type { EventOf, HistoryEvent, TickOfRun } from '../history/events.js';
import type { Kernel } from './kernel.js';
import type { Machine } from './machine.js';

/** The reason with which clients of the simulation cancel their waiting. */
export const CANCELLED = new Error('cancelled by the client');

/** The validity counts as another one when it differs by more than rounding. */
const ROUNDING_MS = 1e-3;

interface Watched {
  readonly attempt: number;
  readonly lock: LockHandle;
  readonly machine: Machine;
  validUntilMs: number;
}

/** What a client asks for. */
export type Asking = Omit<EventOf<'asked'>, 'kind' | 'atMs' | 'attempt' | 'tick'> & { readonly tick?: TickOfRun };

/** Writes the history down as it happens. */
export class Recorder {
  readonly events: HistoryEvent[] = [];
  #attempts = 0;
  #calls = 0;
  readonly #watched = new Map<Machine, Set<Watched>>();

  constructor(private readonly kernel: Kernel) {}

  /** Called with each event of a client. */
  readonly onCall: ((kind: HistoryEvent['kind'], client: string) => void)[] = [];
  readonly #clients = new Map<number, string>();

  add(event: HistoryEvent): void {
    this.events.push(event);
    if (event.kind === 'asked') this.#clients.set(event.attempt, event.client);
    const client = 'attempt' in event ? this.#clients.get(event.attempt) : undefined;
    if (client !== undefined) for (const listener of this.onCall) listener(event.kind, client);
  }

  nowMs(): number {
    return this.kernel.nowMs();
  }

  asked(asking: Asking): number {
    const attempt = this.#attempts++;
    this.add({ kind: 'asked', atMs: this.nowMs(), attempt, ...asking });
    return attempt;
  }

  granted(attempt: number, lock: LockHandle, machine: Machine, hasFence: boolean): void {
    const validUntilMs = lock.remaining > 0 ? machine.toTrueMs(machine.nowMs() + lock.remaining) : 0;
    const { token, fencingToken } = lock;
    const fence = hasFence ? fencingToken : null;
    this.add({ kind: 'granted', atMs: this.nowMs(), attempt, token, fence, validUntilMs });
    const watched: Watched = { attempt, lock, machine, validUntilMs };
    const others = this.#watched.get(machine);
    if (others === undefined) this.#watched.set(machine, new Set([watched]));
    else others.add(watched);
    const onAbort = (): void => {
      this.#watched.get(machine)?.delete(watched);
      const { reason } = lock.signal.reason as { reason: string };
      this.add({ kind: 'aborted', atMs: this.nowMs(), attempt, reason });
    };
    if (lock.signal.aborted) onAbort();
    else lock.signal.addEventListener('abort', onAbort, { once: true });
  }

  refused(attempt: number, error: unknown): void {
    this.add({ kind: 'refused', atMs: this.nowMs(), attempt, code: codeOf(error) });
  }

  /** After every step of a process: whether its locks are believed to be valid for longer, or less long, than before. */
  look(machine: Machine): void {
    for (const watched of this.#watched.get(machine) ?? []) {
      const { lock, attempt } = watched;
      if (lock.remaining <= 0) continue;
      const validUntilMs = machine.toTrueMs(machine.nowMs() + lock.remaining);
      if (Math.abs(validUntilMs - watched.validUntilMs) < ROUNDING_MS) continue;
      watched.validUntilMs = validUntilMs;
      this.add({ kind: 'extended', atMs: this.nowMs(), attempt, validUntilMs });
    }
  }

  async extend(attempt: number, lock: LockHandle, ttlMs: number): Promise<boolean> {
    const call = this.#calls++;
    this.add({ kind: 'extending', atMs: this.nowMs(), attempt, call, ttlMs });
    try {
      await lock.extend(ttlMs);
      this.add({ kind: 'extendSettled', atMs: this.nowMs(), call });
      return true;
    } catch (error) {
      this.add({ kind: 'extendSettled', atMs: this.nowMs(), call, code: codeOf(error) });
      return false;
    }
  }

  /** An operator removes what is on the key by force. Returns what notes the end of that. */
  forcing(client: string, key: string): (everywhere: boolean) => void {
    const call = this.#calls++;
    this.add({ kind: 'forcing', atMs: this.nowMs(), client, call, key });
    return (everywhere) => {
      this.add({ kind: 'forced', atMs: this.nowMs(), call, everywhere });
    };
  }

  releasing(attempt: number, lock: LockHandle, machine: Machine): void {
    for (const each of this.#watched.get(machine) ?? []) {
      if (each.lock === lock) this.#watched.get(machine)?.delete(each);
    }
    this.add({ kind: 'releasing', atMs: this.nowMs(), attempt });
  }

  released(attempt: number, error?: unknown): void {
    const code = error === undefined ? {} : { code: codeOf(error) };
    this.add({ kind: 'released', atMs: this.nowMs(), attempt, ...code });
  }
}

export function codeOf(error: unknown): string {
  if (error === CANCELLED) return 'CANCELLED';
  return error instanceof RedlockError ? error.code : `THROWN: ${error instanceof Error ? error.message : 'something'}`;
}
