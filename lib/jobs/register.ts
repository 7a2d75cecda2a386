import type { RunOutcome, RunTrigger } from '../interfaces/index.js';
import { clientOf } from '../decorators/delays.js';
import type { RedlockService } from '../redlock.service.js';

/** Which register of the servers a job has. */
export interface JobPlace {
  /** The name of the job, by default the keys. */
  readonly name: string;
  /** The keys of its lock, as the user has them. */
  readonly keys: readonly string[];
}

export interface RegisteredRun {
  readonly trigger: RunTrigger;
  readonly tickMs: number;
  readonly startedAtMs: number;
  readonly endedAtMs?: number;
  readonly outcome: RunOutcome;
  readonly error?: string;
  readonly owner: string;
  readonly fencingToken: number;
  readonly token: string;
}

export interface JobRecord {
  /** 0 where it is not paused, Infinity until it is resumed. */
  readonly pausedLeftMs: number;
  readonly reason: string;
  readonly version: number;
  readonly coveredMs: number;
  /** The newest first. */
  readonly runs: readonly RegisteredRun[];
}

export interface JobRegister {
  read(place: JobPlace): Promise<JobRecord>;
  pause(place: JobPlace, options: { readonly forMs?: number; readonly reason?: string }): Promise<void>;
  resume(place: JobPlace): Promise<void>;
  cover(place: JobPlace, tickMs: number): void;
}

export function registerOf(service: RedlockService): JobRegister | undefined {
  return (clientOf(service) as unknown as { readonly jobs?: JobRegister } | undefined)?.jobs;
}
