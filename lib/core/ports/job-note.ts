/** What made a run of a job: its schedule, a call by hand, a tick that no replica ran in time, or a tick whose first run died. */
export type RunTrigger = 'schedule' | 'manual' | 'catch-up' | 'again';

/** A run of a job, as the process that asks for its lock knows it. All times are of the wall clock of that process, in epoch ms. */
export interface RunStart {
  readonly trigger: RunTrigger;
  /** The tick that it stands for; 0 where it has none. */
  readonly tickMs: number;
  readonly startedAtMs: number;
}

/** How a run ended. */
export interface RunEnd {
  readonly outcome: 'succeeded' | 'failed' | 'lost';
  readonly endedAtMs: number;
  /** What it failed with, in words. */
  readonly error?: string | undefined;
}

/**
 * The register of a job on a node: one text with its last runs, the latest tick that is covered, and whether the job is paused. It outlives locks.
 *
 * - In an acquire: a job that is paused is denied. A run that is granted is added, and is removed again by a release without an `end`.
 *   A `catch-up` is denied where its tick, or a later one, is covered or in the list of runs. `again` is denied where a run of its tick has
 *   ended, or was the second one already.
 * - In a release: with an `end` the run is kept with it, whether or not the node has heard of it before.
 */
export interface JobNote {
  readonly key: string;
  readonly start: RunStart;
  readonly end?: RunEnd | undefined;
}

/** Whether a job is paused. The highest version counts: each change has a higher one than all that its author has seen. */
export interface PauseState {
  readonly version: number;
  /** For how much longer it is paused, in milliseconds: 0 where it is not, Infinity until it is resumed. */
  readonly leftMs: number;
  readonly reason: string;
}

/** What a denial names as its holder where the register denies. */
export const PAUSED = 'paused';
export const COVERED = 'covered';
