import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ms from 'ms';
import { EVENT_NAMES } from '../../../lib/client/events.js';
import { checkDecoratorOptions, toAcquireSettings } from '../../../lib/client/options/acquire-options.js';
import { toSettings } from '../../../lib/client/options/module-options.js';
import * as errors from '../../../lib/core/errors/index.js';
import { codesIn, rowsBelow } from '../../support/pages.js';

const OPTIONS = 'docs/reference/options.md';
const DEFAULTS = { waitMs: 0, maxRetries: 0, fencing: true };

/** The first cells of the tables below this heading, which name something. */
const namesBelow = (path: string, heading: string): string[] =>
  rowsBelow(path, heading).flatMap(([first]) => codesIn(first));

/** Of scheduled methods alone. Only those that the code knows already count. */
const OF_JOBS = namesBelow('docs/guide/jobs.md', '## Options of a job');

/** All options that the code takes here: its error about an unknown one lists them. */
function takenBy(check: (options: object) => unknown): string[] {
  try {
    check({ nonsense: true });
  } catch (error) {
    return (error as Error).message.split('which takes ')[1]?.split(', ') ?? [];
  }
  throw new Error('It takes every option.');
}

const MODULE = takenBy((options) => toSettings({ servers: 'redis:6379', ...options }));
const ACQUIRE = takenBy((options) => toAcquireSettings(options, 'acquire', DEFAULTS));
const WITH_LOCK = takenBy((options) => toAcquireSettings(options, 'withLock', DEFAULTS));
const DECORATOR = takenBy((options) => {
  checkDecoratorOptions(options);
});

describe('docs/reference/options.md', () => {
  it('has the options of the module, and those of its import', () => {
    const names = namesBelow(OPTIONS, '## Of the module');
    expect(names.toSorted()).toEqual([...MODULE, 'isGlobal', 'name'].toSorted());
  });

  it('has the options of a call', () => {
    const names = namesBelow(OPTIONS, '## Of a call');
    expect(names.slice(0, ACQUIRE.length).toSorted()).toEqual(ACQUIRE.toSorted());
    expect(names.toSorted()).toEqual(WITH_LOCK.toSorted());
  });

  it('has the options of the decorator, with those of the page about jobs', () => {
    const own = namesBelow(OPTIONS, '## Of `@WithLock`');
    const known = [...WITH_LOCK, ...own, ...OF_JOBS.filter((option) => DECORATOR.includes(option))];
    expect(known.toSorted()).toEqual(DECORATOR.toSorted());
    expect(OF_JOBS).toHaveLength(4);
  });

  it('has the defaults of the module as they are', () => {
    const settings = toSettings({ servers: 'redis:6379' }) as unknown as Record<string, unknown>;
    const rows = rowsBelow(OPTIONS, '## Of the module').filter(([, value]) => /^`['\d\w]+.*`$/.test(value ?? ''));
    const wrong = rows.flatMap(([first, value]) => {
      const [name = ''] = codesIn(first);
      const [text = ''] = codesIn(value);
      if (['owner', 'isGlobal'].includes(name)) return [];
      const said = text.startsWith("'")
        ? text.slice(1, -1)
        : (JSON.parse(text.replace('Infinity', '1e999')) as unknown);
      const real = settings[name] ?? settings[`${name}Ms`];
      const asMs = typeof said === 'string' && typeof real === 'number' ? ms(said as ms.StringValue) : said;
      return asMs === real ? [] : [[name, text, real]];
    });
    expect(rows.length).toBeGreaterThan(15);
    expect(wrong).toEqual([]);
  });
});

describe('docs/reference/events.md', () => {
  it('has each event, and no other one', () => {
    expect(namesBelow('docs/reference/events.md', '# Events').toSorted()).toEqual(EVENT_NAMES.toSorted());
  });
});

describe('docs/operations/metrics.md', () => {
  it('has each metric, and no other one', () => {
    const sources = readdirSync('lib/otel').map((file) => readFileSync(join('lib/otel', file), 'utf8'));
    const made = sources.flatMap((source) => [...source.matchAll(/(?:\.create\w+|= count)\(\s*'(redlock\.[a-z.]+)'/g)]);
    expect(made.length).toBeGreaterThan(10);
    const names = namesBelow('docs/operations/metrics.md', '## Metrics');
    expect(names.toSorted()).toEqual(made.map(([, name]) => name).toSorted());
  });
});

describe('docs/reference/errors.md', () => {
  const PATH = 'docs/reference/errors.md';
  const classes = Object.values(errors).filter(
    (each): each is typeof errors.RedlockError => typeof each === 'function' && each.prototype instanceof Error,
  );

  it('has each error with its code, and what to do about it', () => {
    const rows = rowsBelow(PATH, '# Errors, and what to do about each').map((row) => row.slice(0, 2).flatMap(codesIn));
    const names = classes.map(({ name }) => name).filter((name) => name !== 'RedlockError');
    expect(rows.map(([name]) => name).toSorted()).toEqual(names.toSorted());
    const headings = rows.map(([, code]) => `## \`${code}\``);
    expect(headings.filter((heading) => !readFileSync(PATH, 'utf8').includes(`\n${heading}\n`))).toEqual([]);
    expect(rows.map(([, code]) => code)).toContain(new errors.LockReleasedError(['key'], 'extend').code);
  });
});
