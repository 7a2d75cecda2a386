export const FORMAT_SCRIPT = String.raw`
const UNITS = /** @type {const} */ ([['d', 86400000], ['h', 3600000], ['min', 60000], ['s', 1000]]);

/** Such as "2 h 5 min". @param {number} ms */
export function duration(ms) {
  if (ms < 1000) return Math.max(0, Math.round(ms)) + ' ms';
  if (ms < 10000) return (Math.floor(ms / 100) / 10).toFixed(1) + ' s';
  const first = UNITS.findIndex(([, unit]) => ms >= unit);
  const [name, unit] = UNITS[first];
  const next = UNITS[first + 1];
  const whole = Math.floor(ms / unit);
  const rest = next === undefined ? 0 : Math.floor((ms - whole * unit) / next[1]);
  return whole + ' ' + name + (next === undefined || rest === 0 ? '' : ' ' + rest + ' ' + next[0]);
}

/** In whole seconds: what changes each second must be read easily. @param {number} ms */
export function countdown(ms) {
  return ms < 10000 ? Math.max(0, Math.floor(ms / 1000)) + ' s' : duration(ms);
}

/** Such as "3 min ago". @param {number} at @param {number} now */
export function relative(at, now) {
  if (Math.abs(at - now) < 1000) return 'now';
  return at > now ? 'in ' + countdown(at - now) : countdown(now - at) + ' ago';
}

/** In the time zone of the browser. @param {number} at */
export function instant(at) {
  return new Date(at).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
}

/**
 * One run of a job.
 * @typedef {object} Run
 * @property {'schedule' | 'manual' | 'catch-up' | 'again'} trigger
 * @property {'running' | 'succeeded' | 'failed' | 'lost' | 'died'} outcome
 * @property {string} owner
 * @property {number} startedAt
 * @property {number} fencingToken
 * @property {number} [endedAt]
 * @property {number} [tick]
 * @property {string} [error]
 */

const OUTCOMES = /** @type {const} */ ({
  running: 'running',
  succeeded: 'succeeded',
  failed: 'failed',
  lost: 'lost its lock',
  died: 'died',
});

const TRIGGERS = /** @type {const} */ ({
  schedule: 'schedule',
  manual: 'by hand',
  'catch-up': 'made up for',
  again: 'again, after its replica died',
});

/** @param {Run} run */
export function outcomeOf(run) {
  return OUTCOMES[run.outcome] ?? run.outcome;
}

/** @param {Run} run */
export function triggerOf(run) {
  return TRIGGERS[run.trigger] ?? run.trigger;
}

/** How long it took. @param {Run} run */
export function timeOf(run) {
  return run.endedAt === undefined ? undefined : Math.max(0, run.endedAt - run.startedAt);
}

/** Such as "18 succeeded, 2 failed". @param {Run[]} runs */
export function countRuns(runs) {
  if (runs.length === 0) return 'none yet';
  const counts = new Map();
  for (const run of runs) counts.set(outcomeOf(run), (counts.get(outcomeOf(run)) ?? 0) + 1);
  return [...counts].map(([outcome, count]) => count + ' ' + outcome).join(', ');
}
`;
