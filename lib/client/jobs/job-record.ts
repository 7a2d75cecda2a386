import { parseRegister, type Register, type RegisterRun } from '../../core/register.js';
import type { RunTrigger } from '../../core/ports/job-note.js';
import { majorityOf, type Vote } from '../../core/vote.js';

/** A run, as a majority of the servers knows it. All times in epoch ms, on the clock of the replica that ran it. */
export interface RegisteredRun {
  readonly trigger: RunTrigger;
  /** 0 where it has none. */
  readonly tickMs: number;
  readonly startedAtMs: number;
  readonly endedAtMs: number | undefined;
  readonly outcome: 'running' | 'succeeded' | 'failed' | 'lost' | 'died';
  readonly error: string | undefined;
  readonly owner: string;
  readonly fencingToken: number;
  readonly token: string;
}

/** What the servers know of a job. */
export interface JobRecord {
  /** The highest version of a pause, or of its end, that was seen; 0 where there was none. */
  readonly version: number;
  /** For how much longer it is paused: 0 where it is not, Infinity until it is resumed. */
  readonly pausedLeftMs: number;
  readonly reason: string;
  /** The latest tick that was run, or needs no run; 0 where none is known. */
  readonly coveredMs: number;
  /** The newest first. */
  readonly runs: readonly RegisteredRun[];
}

/** So many runs are told of at most: each server keeps as many. */
const MOST_RUNS = 20;

/** One server's answer. */
export interface Answer {
  readonly position: number;
  readonly register: Register;
  readonly nowMs: number;
  /** The token that has the lock there. */
  readonly holder: string | undefined;
}

/**
 * What the answers of the servers come to. `wallMs` is used where a server lets no client ask for its time.
 *
 * A run that any server has the end of has ended: only its replica writes that. A run without an end counts if it may be on a majority of the servers:
 * an attempt that was never granted may have left its line on a few. It is running while a server shows that its lock is held.
 */
export function toJobRecord(
  votes: readonly Vote[],
  wallMs: number,
  answers = answersIn(votes, wallMs),
  pauseEndMs = endedPauseMs(answers, wallMs),
): JobRecord {
  const missing = votes.length - answers.length;
  const runs = mergeRuns(answers, majorityOf(votes.length) - missing);
  const ticks = runs.map(({ tickMs }) => tickMs);
  const covered = Math.max(0, ...ticks, coveredBy(answers, majorityOf(votes.length) - missing), pauseEndMs);
  return { ...newestPause(answers), coveredMs: covered, runs: runs.slice(0, MOST_RUNS) };
}

/** What those servers say that have answered. */
export function answersIn(votes: readonly Vote[], wallMs: number): Answer[] {
  return votes.flatMap((vote): Answer[] => {
    if (vote.outcome !== 'read') return [];
    const { position, nowMs, holder } = vote;
    return [{ position, register: parseRegister(vote.register), nowMs: nowMs || wallMs, holder: holder?.token }];
  });
}

/** The latest tick that may be covered on a majority. One server may have missed the end of a pause, and cover a tick that had to run. */
function coveredBy(answers: readonly Answer[], enough: number): number {
  const all = answers.map(({ register }) => register.coveredMs).toSorted((one, other) => other - one);
  return all[Math.max(0, enough - 1)] ?? 0;
}

/**
 * When the last pause was over, if its time has passed, by the clock of this process: that of a server may be hours ahead. No tick before it is
 * made up for, also where no replica was there to note that.
 */
function endedPauseMs(answers: readonly Answer[], wallMs: number): number {
  return Math.max(0, ...endsOfPause(answers).map(({ untilMs, nowMs }) => wallMs - (nowMs - untilMs)));
}

/** The same for what is written to the servers, by the clock that is most behind: that of an operator may be ahead, too, and cover ticks that are to come. */
export function endedPauseToKeepMs(answers: readonly Answer[]): number {
  const ends = endsOfPause(answers).map(({ untilMs }) => untilMs);
  return ends.length === 0 ? 0 : Math.min(...ends);
}

/** What the servers say that know the newest pause. One that was told of it when it was over has no end of it. */
function endsOfPause(answers: readonly Answer[]): { readonly untilMs: number; readonly nowMs: number }[] {
  const version = Math.max(0, ...answers.map(({ register }) => register.version));
  return answers.flatMap(({ register: { version: known, until }, nowMs }) =>
    known === version && typeof until === 'number' && until <= nowMs ? { untilMs: until, nowMs } : [],
  );
}

export function newestPause(answers: readonly Answer[]): Pick<JobRecord, 'version' | 'pausedLeftMs' | 'reason'> {
  let newest: Answer | undefined;
  for (const answer of answers) {
    if (answer.register.version > (newest?.register.version ?? 0)) newest = answer;
  }
  if (newest === undefined) return { version: 0, pausedLeftMs: 0, reason: '' };
  const { version, until, reason } = newest.register;
  const leftMs = until === 'open' ? Infinity : until === undefined ? 0 : Math.max(0, until - newest.nowMs);
  return { version, pausedLeftMs: leftMs, reason: leftMs > 0 ? reason : '' };
}

export function mergeRuns(answers: readonly Answer[], enough: number): RegisteredRun[] {
  const lines = new Map<string, RegisterRun[]>();
  for (const { register } of answers) {
    for (const run of register.runs) lines.set(run.token, [...(lines.get(run.token) ?? []), run]);
  }
  const held = new Set(answers.map(({ holder }) => holder));
  const runs = [...lines.values()].flatMap((all) => {
    const ended = all.find(({ outcome }) => outcome !== 'running');
    const line = ended ?? all[0];
    if (line === undefined || (ended === undefined && all.length < enough)) return [];
    return [toRun(line, Math.max(...all.map(({ fence }) => fence)), held.has(line.token))];
  });
  return runs.sort((one, other) => other.fencingToken - one.fencingToken || other.startedAtMs - one.startedAtMs);
}

function toRun(line: RegisterRun, highestFence: number, isHeld: boolean): RegisteredRun {
  const { trigger, tickMs, startedAtMs, endedAtMs, outcome, error, owner, token } = line;
  const isOpen = outcome === 'running';
  return {
    ...{ trigger, tickMs, startedAtMs, error, owner, token },
    endedAtMs: isOpen ? undefined : endedAtMs,
    outcome: isOpen && !isHeld ? 'died' : outcome,
    fencingToken: isOpen ? highestFence : line.fence,
  };
}
