export const JOBS_SCRIPT = String.raw`
import { make, makeCell, makeTableRow, setAttribute, setText } from './dom.js';
import { countdown, countRuns, duration, instant, outcomeOf, relative, timeOf, triggerOf } from './format.js';

/** @typedef {import('./format.js').Run} Run */

/**
 * @typedef {object} Job
 * @property {string} job
 * @property {string} [instance]
 * @property {string} method
 * @property {string} schedule
 * @property {string} [timeZone]
 * @property {number} [next]
 * @property {Run} [running]
 * @property {Run} [last]
 * @property {{ until?: number, reason?: string }} [paused]
 * @property {number} [overdue]
 * @property {string} [unknown] Why the servers do not say more.
 * @property {Run[]} runs Newest first.
 */

/** How many bars a strip has. */
const BARS = 20;

/** Bars of the last runs, the newest on the right: as high as the run was long, beside the others. @param {Element} strip @param {Run[]} runs */
function drawStrip(strip, runs) {
  const longest = Math.max(1, ...runs.map((run) => timeOf(run) ?? 0));
  while (strip.children.length < BARS) strip.append(make('i'));
  for (let place = 0; place < BARS; place++) {
    const bar = /** @type {HTMLElement} */ (strip.children[place]);
    const run = runs[BARS - 1 - place];
    setAttribute(bar, 'class', run === undefined ? 'none' : run.outcome);
    if (run === undefined) continue;
    const time = timeOf(run);
    const share = run.outcome === 'succeeded' ? Math.sqrt((time ?? 0) / longest) : 1;
    bar.style.height = Math.round(25 + 75 * share) + '%';
    bar.title = outcomeOf(run) + ', ' + instant(run.startedAt) + (time === undefined ? '' : ', ' + duration(time)) + ', ' + run.owner;
  }
}

/** What is said of the state of a job. @param {Job} job @param {number} now @returns {[string, string][]} */
function badgesOf({ running, paused, overdue, last, unknown }, now) {
  /** @type {[string, string][]} */
  const badges = [];
  if (unknown !== undefined) badges.push(['unknown', 'Not known now: ' + unknown]);
  if (running !== undefined) badges.push(['running', 'Running for ' + countdown(now - running.startedAt) + ' on ' + running.owner]);
  if (paused !== undefined) {
    const until = paused.until === undefined ? '' : ' until ' + instant(paused.until);
    badges.push(['paused', 'Paused' + until + (paused.reason ? ': ' + paused.reason : '')]);
  }
  if (overdue !== undefined) badges.push(['overdue', 'Overdue since ' + instant(overdue)]);
  if (last !== undefined && last.outcome !== 'succeeded') badges.push([last.outcome, 'Last run ' + outcomeOf(last)]);
  return badges;
}

/** @param {Element} list @param {[string, string][]} badges */
function drawBadges(list, badges) {
  while (list.children.length > badges.length) list.lastElementChild?.remove();
  badges.forEach(([kind, text], index) => {
    const item = list.children[index] ?? list.appendChild(make('li'));
    setAttribute(item, 'class', 'badge ' + kind);
    setText(item, text);
  });
}

/** @param {Run | undefined} run @param {boolean} isKnown @param {number} now */
function aboutLast(run, isKnown, now) {
  if (run === undefined) return [isKnown ? 'None yet' : '-', ''];
  const time = timeOf(run);
  const took = time === undefined ? '' : ', took ' + duration(time);
  return [outcomeOf(run) + ' ' + relative(run.startedAt, now) + took, run.owner + (run.error === undefined ? '' : ': ' + run.error)];
}

/**
 * One job.
 * @param {{ act: (action: 'pause' | 'resume' | 'run', job: Job) => void, show: (job: Job) => void }} on
 */
export function makeJobView(on) {
  /** @type {Job} */
  let job;
  const name = make('span', { class: 'name' });
  const about = make('span', { class: 'about' });
  const badges = make('ul', { class: 'badges' });
  const strip = make('button', { class: 'strip', type: 'button' });
  const last = make('span');
  const lastAbout = make('span', { class: 'about' });
  const next = make('span');
  const nextAbout = make('span', { class: 'about' });
  const toggle = make('button', { type: 'button', class: 'action' });
  const run = make('button', { type: 'button', class: 'action' }, 'Run now');
  toggle.addEventListener('click', () => on.act(job.paused === undefined ? 'pause' : 'resume', job));
  run.addEventListener('click', () => on.act('run', job));
  strip.addEventListener('click', () => on.show(job));
  const element = makeTableRow(
    make('th', { scope: 'row' }, name, about, badges),
    makeCell('Last runs', strip),
    makeCell('Last run', last, lastAbout),
    makeCell('Next run', next, nextAbout),
    makeCell('Do', toggle, run),
  );

  /** @param {number} now */
  function tick(now) {
    drawBadges(badges, badgesOf(job, now));
    const [what, more] = aboutLast(job.last, job.unknown === undefined, now);
    setText(last, what);
    setText(lastAbout, more);
    setText(next, job.next === undefined ? '-' : relative(job.next, now));
  }

  return {
    element,
    tick,
    words: () => [job.job, job.instance, job.method, job.schedule, job.last?.owner, job.running?.owner, badges.textContent].join(' '),
    /** @param {Job} data @param {number} now */
    update(data, now) {
      job = data;
      setText(name, job.job);
      setText(about, [job.instance, job.method, job.schedule, job.timeZone].filter(Boolean).join(' · '));
      setText(nextAbout, job.next === undefined ? '' : instant(job.next));
      drawStrip(strip, job.runs);
      setAttribute(strip, 'aria-label', 'Runs of ' + job.job + ': ' + countRuns(job.runs));
      const action = job.paused === undefined ? 'Pause' : 'Resume';
      setText(toggle, action);
      setAttribute(toggle, 'aria-label', action + ' ' + job.job);
      setAttribute(run, 'aria-label', 'Run now: ' + job.job);
      tick(now);
    },
  };
}

/** One line of the table of the runs of a job. @param {Run} run */
export function makeRunRow(run) {
  const time = timeOf(run);
  const outcome = make('span', { class: 'badge ' + run.outcome }, outcomeOf(run));
  const tick = run.tick === undefined ? '' : ', tick of ' + instant(run.tick);
  return makeTableRow(
    make('th', { scope: 'row' }, instant(run.startedAt)),
    makeCell('Outcome', outcome, ...(run.error === undefined ? [] : [make('span', { class: 'about' }, run.error)])),
    makeCell('Took', time === undefined ? '-' : duration(time)),
    makeCell('Replica', run.owner),
    makeCell('Cause', triggerOf(run) + tick),
    makeCell('Fencing token', run.fencingToken === 0 ? '-' : String(run.fencingToken)),
  );
}
`;
