import { COVERED, PAUSED } from '../core/ports/job-note.js';
import type { Holder, NodeReply, NodeRequest } from '../core/ports/lock-node.js';
import {
  EMPTY_REGISTER,
  NO_PAUSE,
  parseRegister,
  registerLifeMs,
  runOf,
  writeRegister,
  type Register,
} from '../core/register.js';
import type { StorePorts } from './memory-store.js';
import { covering, coveredBy, pausedLeftMs, steered, withoutRun, withRun } from './register-rules.js';

interface Entry {
  readonly register: Register;
  readonly expiresAtMs: number;
}

/** The registers of jobs on one server. Each is kept as it would be read from its text: with the same limits. */
export class MemoryRegisters {
  readonly #entries = new Map<string, Entry>();

  constructor(private readonly ports: Pick<StorePorts, 'clock'>) {}

  #of(key: string): Register {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.expiresAtMs > this.ports.clock.nowMs()) return entry?.register ?? EMPTY_REGISTER;
    this.#entries.delete(key);
    return EMPTY_REGISTER;
  }

  /** Why an acquire of a run of this job is denied, if it is. `holder` has the first key of its lock. */
  denialOf({ job, token, claims }: NodeRequest, holder: Holder | undefined): NodeReply | undefined {
    if (job === undefined) return undefined;
    const { key, start } = job;
    const register = this.#of(key);
    const remainingMs = pausedLeftMs(register, this.ports.clock.wallMs());
    if (remainingMs > 0) {
      const { version: fence, reason: owner } = register;
      this.#set(key, covering(register, start.tickMs));
      return { outcome: 'denied', holder: { key, token: PAUSED, owner, fence, remainingMs } };
    }
    const owner = coveredBy(register, token, start, holder?.token);
    if (owner === undefined) return undefined;
    const tickKey = claims.at(-1)?.key ?? '';
    return { outcome: 'denied', holder: { key: tickKey, token: COVERED, owner, fence: 0, remainingMs: 0 } };
  }

  onGranted({ job, token, owner }: NodeRequest, fence: number): NodeReply {
    if (job === undefined) return { outcome: 'granted', fence };
    this.#set(job.key, withRun(this.#of(job.key), { token, fence, ...runOf(owner, job.start) }));
    return { outcome: 'granted', fence, pauseVersion: this.#of(job.key).version };
  }

  onReleased({ job, token, owner, fence = 0 }: NodeRequest): void {
    if (job === undefined) return;
    const { key, start, end } = job;
    const register = this.#of(key);
    const changed =
      end === undefined
        ? withoutRun(register, token)
        : withRun(register, { token, fence, ...runOf(owner, start, end) });
    if (changed !== undefined) this.#set(key, changed);
  }

  steer({ job, pause = NO_PAUSE, coveredMs = 0 }: NodeRequest): NodeReply {
    if (job !== undefined) this.#set(job.key, steered(this.#of(job.key), pause, coveredMs, this.ports.clock.wallMs()));
    return { outcome: 'steered' };
  }

  read({ job }: NodeRequest, holder: Holder | undefined): NodeReply {
    const register = job === undefined ? EMPTY_REGISTER : this.#of(job.key);
    const text = register === EMPTY_REGISTER ? '' : writeRegister(register);
    return { outcome: 'read', register: text, nowMs: this.ports.clock.wallMs(), holder };
  }

  clear(): void {
    this.#entries.clear();
  }

  #set(key: string, register: Register): void {
    const { clock } = this.ports;
    const expiresAtMs = clock.nowMs() + registerLifeMs(pausedLeftMs(register, clock.wallMs()));
    this.#entries.set(key, { register: parseRegister(writeRegister(register)), expiresAtMs });
  }
}
