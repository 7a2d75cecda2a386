export const PAGE_SCRIPT = String.raw`
import { confirm, refreshRuns, showRuns } from './dialogs.js';
import { byId, inputById, make, Rows, setAttribute, setText } from './dom.js';
import { makeJobView } from './jobs.js';
import { makeInstanceView, makeLockView, makeNoteView, makeServerView } from './locks.js';
import { listen, post } from './stream.js';

/** @typedef {import('./jobs.js').Job} Job */

const LIVE = {
  live: 'Live',
  lost: 'No connection. It tries again.',
  refused: 'You may not see this page any more. Reload it to sign in.',
};

const filter = inputById('filter');

/** @param {string} id */
const bodyOf = (id) => /** @type {HTMLElement} */ (byId(id).querySelector('tbody'));

const tables = {
  instances: new Rows(byId('instances'), makeInstanceView),
  servers: new Rows(byId('servers'), makeServerView),
  notes: new Rows(byId('notes'), makeNoteView),
  jobs: new Rows(bodyOf('jobs'), () => makeJobView({ act: (action, job) => void act(action, job), show: showRuns })),
  locks: new Rows(bodyOf('locks'), makeLockView),
};

/** The jobs as they are now, for the counts. @type {Map<string, Job>} */
const jobs = new Map();

/** How much the clock of the server is ahead of the one here. */
let ahead = 0;
let saidAt = 0;

const now = () => Date.now() + ahead;

/** @param {any} change */
function show(change) {
  ahead = change.now - Date.now();
  if (change.reset) forget(change);
  for (const [name, table] of Object.entries(tables)) {
    const set = change.set[name];
    const gone = change.gone?.[name] ?? [];
    if (set === undefined) continue;
    table.change(set, gone, now());
    if (name === 'jobs') {
      for (const id of gone) jobs.delete(id);
      for (const [id, job] of Object.entries(set)) jobs.set(id, job);
      refreshRuns(Object.values(set));
    }
    if (name === 'jobs' || name === 'locks') setAttribute(byId(name), 'data-read', '');
  }
  count();
}

/** Rows that are still there stay in their places: the connection may only have been made anew. @param {any} change */
function forget({ set, mayAct }) {
  document.body.dataset.may = mayAct ? 'act' : 'read';
  for (const id of [...jobs.keys()]) if (!(id in (set.jobs ?? {}))) jobs.delete(id);
  for (const [name, table] of Object.entries(tables)) table.keepOnly(set[name] ?? {});
}

function count() {
  const all = [...jobs.values()];
  const part = (/** @type {string} */ what, /** @type {(job: Job) => unknown} */ test) => {
    const number = all.filter(test).length;
    return number === 0 ? [] : [number + ' ' + what];
  };
  const parts = [
    ...part('running', ({ running }) => running),
    ...part('paused', ({ paused }) => paused),
    ...part('overdue', ({ overdue }) => overdue),
    ...part('not known now', ({ unknown }) => unknown),
    ...part('failed last', ({ last }) => last && last.outcome !== 'succeeded'),
  ];
  sum('jobs', 'job', tables.jobs, parts);
  sum('locks', 'lock', tables.locks, []);
}

/** @param {string} id @param {string} word @param {Rows} table @param {string[]} parts */
function sum(id, word, table, parts) {
  const isRead = byId(id).hasAttribute('data-read');
  byId(id).hidden = table.size === 0;
  if (!isRead) return;
  const { size, shown } = table;
  const number = size === 0 ? 'No ' + word + 's' : size + ' ' + word + (size === 1 ? '' : 's');
  const of = shown === size ? '' : ' (' + shown + ' shown)';
  setText(byId(id + '-count'), [number + of, ...parts].join(', ') + '.');
}

/** @param {'pause' | 'resume' | 'run'} action @param {Job} job */
async function act(action, job) {
  const body = await confirm(action, job);
  if (body === undefined) return;
  say('Sent.', false);
  const { error, outcome } = await post(body);
  if (error !== undefined) say(job.job + ': ' + error, true);
  else if (action === 'run') say(job.job + (outcome === 'running' ? ' was started. Its row shows how it goes on.' : ' has run: ' + outcome + '.'), outcome !== 'running' && outcome !== 'succeeded');
  else say(job.job + (action === 'pause' ? ' is paused.' : ' is resumed.'), false);
}

/** What came of a button. @param {string} text @param {boolean} isError */
function say(text, isError) {
  saidAt = Date.now();
  const line = byId('said');
  setAttribute(line, 'class', isError ? 'error' : 'done');
  line.replaceChildren(make('span', {}, text));
}

filter.addEventListener('input', () => {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  tables.jobs.filter(words);
  tables.locks.filter(words);
  count();
});

setInterval(() => {
  for (const table of Object.values(tables)) table.tick(now());
  if (saidAt !== 0 && Date.now() - saidAt > 20000) {
    saidAt = 0;
    byId('said').replaceChildren();
  }
}, 1000);

listen({
  change: show,
  state(state) {
    setText(byId('live'), LIVE[state] + (state === 'live' && document.body.dataset.may === 'read' ? ', read only' : ''));
    setAttribute(byId('live'), 'class', state);
  },
});
`;
