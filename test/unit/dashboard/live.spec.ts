import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { RedlockEvents, RedlockHealth, RedlockService } from 'redlock-nestjs';
import { Live } from '../../../lib/dashboard/live.js';
import { Viewers } from '../../../lib/dashboard/viewers.js';
import { FakeJobs } from '../../support/dashboard/fake-jobs.js';
import { FakeResponse } from '../../support/dashboard/fake-response.js';
import { DEGRADED } from '../../support/telemetry-app.js';

/** An instance without servers to search: the locks have tests of their own. */
class FakeService {
  isClosed = false;
  place = 'here';
  asked = 0;
  answer: RedlockHealth | Error = DEGRADED;
  client = { settings: { keyPrefix: 'redlock:', nodeTimeoutMs: 100 }, shards: { list: [], named: false } };

  health(): Promise<RedlockHealth> {
    this.asked++;
    return this.answer instanceof Error ? Promise.reject(this.answer) : Promise.resolve(this.answer);
  }
}

class FakeEvents {
  readonly listeners = new Map<string, () => void>();

  on(name: string, listener: () => void): () => void {
    this.listeners.set(name, listener);
    return () => this.listeners.delete(name);
  }
}

describe('what the page is told', () => {
  let jobs: FakeJobs;
  let service: FakeService;
  let events: FakeEvents;
  let viewers: Viewers;
  beforeEach(() => {
    jest.useFakeTimers();
    jobs = new FakeJobs().add('invoices').add('mails');
    service = new FakeService();
    events = new FakeEvents();
    const live = new Live(
      events as unknown as RedlockEvents,
      [{ name: undefined, service: service as unknown as RedlockService }],
      jobs,
    );
    viewers = new Viewers(live);
  });
  afterEach(() => {
    viewers.endAll();
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });

  function look(): FakeResponse {
    const viewer = new FakeResponse();
    viewers.add(viewer.response, true, undefined);
    return viewer;
  }

  const pass = (passMs: number): Promise<void> => jest.advanceTimersByTimeAsync(passMs);
  const idOf = (job: string): string => JSON.stringify([null, job]);

  it('is everything first, and then only what has changed', async () => {
    const viewer = look();
    expect(viewer.take()).toEqual([{ now: expect.any(Number), reset: true, set: {}, mayAct: true }]);
    await pass(100);
    const first = viewer.take();
    const tables = first.flatMap(({ set }) => Object.keys(set as object));
    expect(new Set(tables)).toEqual(new Set(['instances', 'servers', 'jobs', 'locks', 'notes']));
    await pass(10_000);
    expect(viewer.take()).toEqual([]);

    jobs.change('mails', { paused: { reason: 'storm' } });
    jobs.remove('invoices');
    await pass(2_100);
    expect(viewer.take()).toEqual([
      {
        now: expect.any(Number),
        set: { jobs: { [idOf('mails')]: expect.objectContaining({ job: 'mails', paused: { reason: 'storm' } }) } },
        gone: { jobs: [idOf('invoices')] },
      },
    ]);
  });

  it('is read once for all viewers', async () => {
    const first = look();
    await pass(10_000);
    const { list } = jobs.reads;
    expect(list).toBeGreaterThan(3);
    expect(list).toBeLessThan(8);
    const others = Array.from({ length: 20 }, look);
    expect(others[0]!.take()).toEqual([
      expect.objectContaining({ reset: true, set: expect.objectContaining({ jobs: expect.anything() }) }),
    ]);
    await pass(10_000);
    expect(jobs.reads.list - list).toBeLessThan(8);
    expect(service.asked).toBeLessThanOrEqual(5);
    for (const viewer of [first, ...others]) viewer.take();
    jobs.change('mails', { nextTick: new Date(0) });
    await pass(2_100);
    const [told] = first.take();
    expect(told).toMatchObject({ set: { jobs: { [idOf('mails')]: { next: 0 } } } });
    for (const other of others) expect(other.take()).toEqual([told]);
  });

  it('is not read while there is no viewer: nothing is sent, no timer and no listener is left', async () => {
    expect(events.listeners.size).toBe(0);
    await pass(60_000);
    expect(jobs.reads.list + service.asked).toBe(0);

    const viewers = [look(), look()];
    await pass(3_000);
    viewers[0]!.end();
    await pass(3_000);
    expect(events.listeners.size).toBeGreaterThan(0);
    const { list } = jobs.reads;
    expect(list).toBeGreaterThan(1);
    viewers[1]!.end();
    expect(jest.getTimerCount()).toBe(0);
    expect(events.listeners.size).toBe(0);
    const asked = service.asked;
    await pass(600_000);
    expect(jobs.reads.list).toBe(list);
    expect(service.asked).toBe(asked);
  });

  it('is not read more often by a page that is loaded again and again', async () => {
    for (let time = 0; time < 100; time++) {
      const viewer = look();
      await pass(50);
      viewer.end();
    }
    expect(jobs.reads.list).toBeLessThan(5);
    expect(service.asked).toBeLessThan(3);
  });

  it('is what was read before, to a page that is loaded again soon, and nothing old later', async () => {
    const first = look();
    await pass(100);
    first.end();
    await pass(5_000);
    const soon = look();
    expect(soon.take()).toMatchObject([{ set: { jobs: { [idOf('mails')]: {} } } }]);
    soon.end();
    await pass(60_000);
    expect(look().take()).toMatchObject([{ reset: true, set: {} }]);
  });

  it('is read at once when a run begins or ends here, or a server changes, but not at each of a thousand events', async () => {
    const viewer = look();
    await pass(100);
    viewer.take();
    const { list } = jobs.reads;
    jobs.end('mails', { outcome: 'failed' });
    for (let time = 0; time < 1000; time++) events.listeners.get('jobFailed')!();
    service.answer = { ...DEGRADED, quorum: false };
    events.listeners.get('serverState')!();
    await pass(300);
    expect(jobs.reads.list).toBe(list + 1);
    expect(viewer.take()).toMatchObject([
      { set: { jobs: { [idOf('mails')]: { last: { outcome: 'failed' } } } } },
      { set: { instances: { '[null]': { quorum: false } } } },
    ]);
  });

  it('has the runs of a job only read again when it has run', async () => {
    look();
    await pass(10_000);
    expect(jobs.reads.history).toBe(2);
    jobs.end('mails');
    await pass(10_000);
    expect(jobs.reads.history).toBe(3);
  });

  it('says of a job what the servers did not answer, and keeps the runs that were known', async () => {
    jobs.end('mails', { outcome: 'failed' });
    const viewer = look();
    await pass(100);
    viewer.take();
    const { lastRun } = jobs.statusOf('mails');
    jobs.change('mails', { lastRun: undefined, unknown: '2 of 3 servers do not answer' });
    await pass(20_100);
    expect(viewer.take()).toMatchObject([
      {
        set: {
          jobs: {
            [idOf('mails')]: {
              unknown: '2 of 3 servers do not answer',
              last: { outcome: 'failed' },
              runs: [{ outcome: 'failed' }],
            },
          },
        },
      },
    ]);
    expect(jobs.reads.history).toBe(2);
    jobs.change('mails', { lastRun, unknown: undefined });
    await pass(2_100);
    expect(viewer.take()).toMatchObject([{ set: { jobs: { [idOf('mails')]: { last: { outcome: 'failed' } } } } }]);
    expect(jobs.reads.history).toBe(2);
  });

  it('is not told again of a pause whose end only seems to be another one, as servers answer more or less quickly', async () => {
    const until = Date.now() + 3_600_000;
    jobs.change('mails', { paused: { until: new Date(until) } });
    const viewer = look();
    await pass(100);
    viewer.take();
    for (const difference of [40, -30, 200]) {
      jobs.change('mails', { paused: { until: new Date(until + difference) } });
      await pass(2_100);
    }
    expect(viewer.take()).toEqual([]);
    jobs.change('mails', { paused: { until: new Date(until + 60_000) } });
    await pass(2_100);
    expect(viewer.take()).toMatchObject([
      { set: { jobs: { [idOf('mails')]: { paused: { until: until + 60_000 } } } } },
    ]);
  });

  it('says what could not be read, and keeps what was there', async () => {
    const viewer = look();
    await pass(100);
    viewer.take();
    jobs.readError = new Error('2 of 3 servers do not answer');
    await pass(2_100);
    const text = 'The jobs could not be read, and may be out of date: 2 of 3 servers do not answer';
    const [told] = viewer.take();
    expect(Object.values((told!.set as Record<string, object>).notes!)).toEqual([{ text }]);
    expect(told!.gone).toBeUndefined();
    jobs.readError = undefined;
    await pass(2_100);
    expect(viewer.take()).toEqual([
      { now: expect.any(Number), set: { notes: {} }, gone: { notes: [JSON.stringify(['jobs', text])] } },
    ]);
  });

  it('is not asked of an instance that shuts down', async () => {
    service.isClosed = true;
    look();
    await pass(10_000);
    expect(service.asked).toBe(0);
  });

  it('has a beat each ten seconds, so that a dead connection is noticed', async () => {
    const viewer = look();
    await pass(30_000);
    expect(viewer.take('beat')).toHaveLength(3);
  });

  it('is everything again for a browser that was too slow for a change', async () => {
    const viewer = look();
    await pass(100);
    viewer.take();
    viewer.writableNeedDrain = true;
    jobs.change('mails', { nextTick: new Date(0) });
    jobs.remove('invoices');
    await pass(10_000);
    expect(viewer.text).toBe('');
    viewer.drain();
    const all = viewer.take();
    expect(all).toMatchObject([{ reset: true, mayAct: true, set: { jobs: { [idOf('mails')]: { next: 0 } } } }]);
    expect((all[0]!.set as Record<string, object>).jobs).not.toHaveProperty([idOf('invoices')]);
    // What was only slow, and has missed nothing, gets nothing twice.
    viewer.writableNeedDrain = true;
    viewer.drain();
    expect(viewer.text).toBe('');
  });

  it('ends after five minutes, so that the permission is asked for again', async () => {
    const viewer = look();
    await pass(5 * 60_000 - 1000);
    expect(viewer.isEnded).toBe(false);
    await pass(1000);
    expect(viewer.isEnded).toBe(true);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('goes to a hundred browsers at most, and ends for all when the application does', () => {
    const all = Array.from({ length: 99 }, look);
    expect(viewers.isFull).toBe(false);
    all.push(look());
    expect(viewers.isFull).toBe(true);
    all[0]!.writableNeedDrain = true;
    viewers.endAll();
    expect(all.every(({ isEnded }) => isEnded)).toBe(true);
    expect(all.map(({ isDestroyed }) => isDestroyed).filter(Boolean)).toEqual([true]);
    expect(viewers.isFull).toBe(false);
  });
});
