import type { LockHandle } from '../../lib/core/lock.js';
import type { JobRecord } from '../../lib/client/jobs/job-record.js';
import { LockContendedError, RedlockError } from '../../lib/core/errors/index.js';
import type { EventOf, HistoryEvent, TickOfRun } from '../history/events.js';
import type { Kernel } from './kernel.js';
import type { Machine } from './machine.js';
import { JOB } from './plan.js';
import type { SimProcess } from './sim-process.js';

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
    const client =
      'attempt' in event ? this.#clients.get(event.attempt) : event.kind === 'steering' ? event.client : undefined;
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

  /** Returns the reason of a lock that is contended. */
  refused(attempt: number, error: unknown): string | undefined {
    const reason = error instanceof LockContendedError ? error.reason : undefined;
    this.add({ kind: 'refused', atMs: this.nowMs(), attempt, code: codeOf(error), ...(reason && { reason }) });
    return reason;
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

  /** A process pauses or resumes the job. */
  async steering(
    { name, locks, settings, machine }: SimProcess,
    what: 'pause' | 'resume',
    forMs?: number,
  ): Promise<void> {
    const call = this.#calls++;
    const about = { client: name, call, job: JOB, nodeTimeoutMs: settings.nodeTimeoutMs };
    // It reads first, and then covers what fell into the pause.
    const covers = what === 'resume' && { tickAtMs: machine.wallMs() + settings.nodeTimeoutMs };
    this.add({
      kind: 'steering',
      atMs: this.nowMs(),
      ...about,
      what,
      ...(forMs !== undefined && { forMs }),
      ...covers,
    });
    const place = { keys: JOB };
    const steering =
      what === 'resume' ? locks.jobs.resume(place) : locks.jobs.pause(place, { forMs: forMs ?? Infinity });
    const code = await steering.then(() => ({}), toCode);
    this.add({ kind: 'steered', atMs: this.nowMs(), call, ...code });
  }

  /** A process says that a tick needs no run. */
  covering({ name, locks, settings }: SimProcess, tickAtMs: number): void {
    const call = this.#calls++;
    const about = { client: name, call, job: JOB, nodeTimeoutMs: settings.nodeTimeoutMs };
    this.add({ kind: 'steering', atMs: this.nowMs(), ...about, what: 'cover', tickAtMs });
    locks.jobs.cover({ keys: JOB }, tickAtMs);
    this.add({ kind: 'steered', atMs: this.nowMs(), call });
  }

  /** A process reads what the servers keep of the job. */
  async reading({ name, locks, settings }: SimProcess): Promise<JobRecord | undefined> {
    const call = this.#calls++;
    const about = { client: name, call, job: JOB, nodeTimeoutMs: settings.nodeTimeoutMs };
    this.add({ kind: 'reading', atMs: this.nowMs(), ...about });
    try {
      const record = await locks.jobs.read({ keys: JOB });
      const { pausedLeftMs: leftMs, coveredMs } = record;
      const runs = record.runs.map(({ token, owner, trigger, tickMs, outcome }) => ({
        ...{ token, owner, trigger, tickMs, outcome },
      }));
      const seen = { pausedLeftMs: leftMs === Infinity ? null : leftMs, coveredMs, runs };
      this.add({ kind: 'readSettled', atMs: this.nowMs(), call, record: seen });
      return record;
    } catch (error) {
      this.add({ kind: 'readSettled', atMs: this.nowMs(), call, ...toCode(error) });
      return undefined;
    }
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

function toCode(error: unknown): { code: string } {
  return { code: codeOf(error) };
}

export function codeOf(error: unknown): string {
  if (error === CANCELLED) return 'CANCELLED';
  return error instanceof RedlockError ? error.code : `THROWN: ${error instanceof Error ? error.message : 'something'}`;
}
