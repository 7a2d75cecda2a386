export const DIALOGS_SCRIPT = String.raw`
import { byId, inputById, setText } from './dom.js';
import { countRuns } from './format.js';
import { makeRunRow } from './jobs.js';

/** @typedef {import('./jobs.js').Job} Job */

const ask = /** @type {HTMLDialogElement} */ (byId('ask'));
const runs = /** @type {HTMLDialogElement} */ (byId('runs'));

const QUESTIONS = {
  pause: {
    title: (/** @type {string} */ job) => 'Pause ' + job + '?',
    text: 'No run of it begins on any replica until it is resumed, neither by its schedule nor by hand. A run that goes on now ends as usual.',
    yes: 'Pause it',
  },
  resume: {
    title: (/** @type {string} */ job) => 'Resume ' + job + '?',
    text: 'The next tick of it runs again.',
    yes: 'Resume it',
  },
  run: {
    title: (/** @type {string} */ job) => 'Run ' + job + ' now?',
    text: 'It runs once, on the replica that answers, unless it runs already. It stands for no tick of the schedule.',
    yes: 'Run it now',
  },
};

/**
 * Asks once more. Resolves to what to send, or to undefined where the user does not want it.
 * @param {'pause' | 'resume' | 'run'} action
 * @param {Job} job
 * @returns {Promise<object | undefined>}
 */
export function confirm(action, { job, instance }) {
  const { title, text, yes } = QUESTIONS[action];
  setText(byId('ask-title'), title(job));
  setText(byId('ask-text'), text);
  setText(byId('ask-yes'), yes);
  byId('ask-pause').hidden = action !== 'pause';
  const form = /** @type {HTMLFormElement} */ (ask.querySelector('form'));
  form.reset();
  return new Promise((resolve) => {
    let answer = /** @type {object | undefined} */ (undefined);
    form.onsubmit = (event) => {
      event.preventDefault();
      answer = { action, job, instance: instance ?? 'default' };
      if (action === 'pause') Object.assign(answer, { for: inputById('ask-for').value.trim(), reason: inputById('ask-reason').value.trim() });
      ask.close();
    };
    // The event comes a moment after the dialog is closed. Then it may be open again, for another question.
    ask.onclose = () => {
      if (!ask.open) resolve(answer);
    };
    ask.showModal();
  });
}

byId('ask-no').addEventListener('click', () => ask.close());
byId('runs-close').addEventListener('click', () => runs.close());

/** Which job the runs are shown of. @type {Job | undefined} */
let shown;
runs.addEventListener('close', () => {
  shown = undefined;
});

/** @param {Job} job */
function drawRuns(job) {
  setText(byId('runs-title'), 'Runs of ' + job.job);
  setText(byId('runs-about'), 'The last ' + job.runs.length + ': ' + countRuns(job.runs) + '. Newest first.');
  const table = byId('runs-table');
  table.hidden = job.runs.length === 0;
  table.querySelector('tbody')?.replaceChildren(...job.runs.map(makeRunRow));
}

/** Shows the last runs of a job. @param {Job} job */
export function showRuns(job) {
  shown = job;
  drawRuns(job);
  runs.showModal();
}

/** Shows the news in the open table of runs. @param {Iterable<object>} jobs */
export function refreshRuns(jobs) {
  if (shown === undefined) return;
  for (const each of jobs) {
    const job = /** @type {Job} */ (each);
    // Another instance may have a job of the same name.
    if (job.job === shown.job && job.instance === shown.instance) drawRuns(job);
  }
}
`;
