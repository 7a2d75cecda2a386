import type { Answer } from '../answer.js';
import { DIALOGS_SCRIPT } from './dialogs.script.js';
import { DOM_SCRIPT } from './dom.script.js';
import { FORMAT_SCRIPT } from './format.script.js';
import { JOBS_SCRIPT } from './jobs.script.js';
import { LOCKS_SCRIPT } from './locks.script.js';
import { PAGE_SCRIPT } from './page.script.js';
import { ICON } from './icon.js';
import { STREAM_SCRIPT } from './stream.script.js';
import { STYLE } from './style.js';

/** What the page loads, by its name: texts in the code, so that every build and every bundle has them. */
export const FILES: ReadonlyMap<string, Answer> = new Map(
  (
    [
      ['page.js', PAGE_SCRIPT],
      ['dialogs.js', DIALOGS_SCRIPT],
      ['dom.js', DOM_SCRIPT],
      ['format.js', FORMAT_SCRIPT],
      ['jobs.js', JOBS_SCRIPT],
      ['locks.js', LOCKS_SCRIPT],
      ['stream.js', STREAM_SCRIPT],
      ['page.css', STYLE],
      ['icon.svg', ICON],
    ] as const
  ).map(([name, body]) => [name, { status: 200, type: typeOf(name), body }]),
);

function typeOf(name: string): string {
  if (name.endsWith('.js')) return 'text/javascript; charset=utf-8';
  return name.endsWith('.css') ? 'text/css; charset=utf-8' : 'image/svg+xml; charset=utf-8';
}
