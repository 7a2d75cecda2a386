import { describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

interface Span {
  readonly name: string;
  readonly id: string;
  readonly parent?: string;
  readonly skipped?: string;
}

interface Seen {
  /** How often the work itself ran. */
  readonly runs: number;
  readonly spans: readonly Span[];
  /** How often the method was called, as a Proxy around its host counts it. */
  readonly calls: number;
  /** Of all replicas, sorted. */
  readonly checkIns: readonly string[];
}

async function seenBy(tool: string): Promise<Seen> {
  const script = ['--import', './test/support/ts-loader.mjs', 'test/e2e/tools/replicas.ts', tool];
  const { stdout } = await run(process.execPath, script);
  return JSON.parse(stdout) as Seen;
}

const named = (spans: readonly Span[], name: string): Span[] => spans.filter((span) => span.name === name);

describe('what other tools see of one tick on three replicas (P8)', () => {
  it('@Span below @WithLock: one span, as a part of redlock.hold', async () => {
    const { runs, spans } = await seenBy('span-below');
    expect(runs).toBe(1);
    const [job, ...more] = named(spans, 'job');
    expect(more).toEqual([]);
    expect(job!.parent).toBe(named(spans, 'redlock.hold')[0]!.id);
  });

  it('@Span above @WithLock: a span on each replica, and those that did not run say so', async () => {
    const { runs, spans } = await seenBy('span-above');
    expect(runs).toBe(1);
    const jobs = named(spans, 'job');
    expect(jobs).toHaveLength(3);
    const [ran, ...more] = jobs.filter(({ skipped }) => skipped === undefined);
    expect(more).toEqual([]);
    expect(named(spans, 'redlock.hold')).toMatchObject([{ parent: ran!.id }]);
  });

  it('@Span above @WithLock without redlock-nestjs/otel: three spans that look alike', async () => {
    const { runs, spans } = await seenBy('span-alone');
    expect(runs).toBe(1);
    expect(spans.map(({ name, skipped }) => [name, skipped])).toEqual(Array(3).fill(['job', undefined]));
  });

  it('@SentryCron below @WithLock: one check-in that begins and ends', async () => {
    expect(await seenBy('sentry-below')).toMatchObject({ runs: 1, checkIns: ['in_progress', 'ok'] });
  });

  it('@SentryCron above @WithLock: three, all of them ok', async () => {
    const checkIns = ['in_progress', 'in_progress', 'in_progress', 'ok', 'ok', 'ok'];
    expect(await seenBy('sentry-above')).toMatchObject({ runs: 1, checkIns });
  });

  it('an instanceDecorator with a plain Proxy: a call on each replica, of which one runs the work', async () => {
    expect(await seenBy('plain-proxy')).toMatchObject({ runs: 1, calls: 3 });
  });

  it('the instanceDecorator of @nestjs/observe: the work runs once', async () => {
    expect(await seenBy('observe')).toMatchObject({ runs: 1 });
  });
});
