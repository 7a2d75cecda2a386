import type { PauseState, RunStart } from '../core/ports/job-note.js';
import { MOST_RUNS, type Register, type RegisterRun } from '../core/register.js';

/** For how much longer the job is paused: 0 where it is not, Infinity until it is resumed. */
export function pausedLeftMs({ until }: Register, wallMs: number): number {
  return until === 'open' ? Infinity : Math.max(0, (until ?? wallMs) - wallMs);
}

/**
 * Which run makes a run needless that was started so: the owner of that run, or '' where the tick is merely covered. A run that has its lock may yet be
 * undone, or be one of several that contend: it denies with its lock, by which they see one another.
 */
export function coveredBy(
  { coveredMs, runs }: Register,
  token: string,
  { trigger, tickMs }: Pick<RunStart, 'trigger' | 'tickMs'>,
  holderToken: string | undefined,
): string | undefined {
  if (trigger === 'catch-up' && tickMs <= coveredMs) return '';
  return runs.find((run) => {
    if (run.token === token || (run.outcome === 'running' && run.token === holderToken)) return false;
    if (trigger === 'catch-up') return tickMs <= run.tickMs;
    return trigger === 'again' && run.tickMs === tickMs && (run.outcome !== 'running' || run.trigger === 'again');
  })?.owner;
}

export function covering(register: Register, tickMs: number): Register {
  return { ...register, coveredMs: Math.max(register.coveredMs, tickMs) };
}

/**
 * Puts the run into the place of that of its token, else in front. A run for which there is no room any more leaves its tick. A run that has ended
 * begins no more: its acquire was delivered twice.
 */
export function withRun(register: Register, run: RegisterRun): Register {
  const { runs } = register;
  const others = runs.filter(({ token }) => token !== run.token);
  const place = runs.findIndex(({ token }) => token === run.token);
  if (run.outcome === 'running' && place >= 0 && runs[place]?.outcome !== 'running') return register;
  const all = others.toSpliced(Math.max(0, place), 0, run);
  const dropped = all.slice(MOST_RUNS).map(({ tickMs }) => tickMs);
  return covering({ ...register, runs: all.slice(0, MOST_RUNS) }, Math.max(0, ...dropped));
}

/** Nothing where the token has no run in it. */
export function withoutRun(register: Register, runToken: string): Register | undefined {
  const runs = register.runs.filter(({ token }) => token !== runToken);
  return runs.length < register.runs.length ? { ...register, runs } : undefined;
}

export function steered(
  register: Register,
  { version, leftMs, reason }: PauseState,
  tickMs: number,
  wallMs: number,
): Register {
  const covered = covering(register, tickMs);
  if (version <= register.version) return covered;
  return {
    ...covered,
    version,
    reason,
    until: leftMs === Infinity ? 'open' : leftMs > 0 ? wallMs + leftMs : undefined,
  };
}
