import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Cron, ScheduleModule } from '@nestjs/schedule';
import { Test, type TestingModule } from '@nestjs/testing';
import { currentLock, RedlockJobs, RedlockModule, RedlockService, WithLock } from 'redlock-nestjs';
import { REDLOCK_SERVERS, RedlockMemory } from 'redlock-nestjs/testing';
import type { NodeReply } from '../../../lib/core/ports/lock-node.js';
import { CollectingLogger } from '../../support/collecting-logger.js';

const refused: NodeReply = { outcome: 'failed', reason: 'refused', cause: new Error('OOM') };
const apps: TestingModule[] = [];
let runs: string[] = [];

beforeEach(() => {
  runs = [];
  jest.useFakeTimers({ now: Date.parse('2026-03-01T01:59:30.000Z'), doNotFake: ['nextTick', 'setImmediate'] });
});
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
  jest.useRealTimers();
});

@Injectable()
class Job {
  @Cron('0 * * * * *', { name: 'job' })
  @WithLock('job', '10s', { catchUp: '1h' })
  run(): Promise<void> {
    runs.push(`${currentLock()?.tick?.toISOString().slice(11, 19)}${currentLock()?.late ? ' late' : ''}`);
    return Promise.resolve();
  }
}

async function boot(memory: RedlockMemory): Promise<TestingModule> {
  const imports = [ScheduleModule.forRoot(), RedlockModule.forRoot({ servers: ['a:1', 'b:1', 'c:1'] })];
  const app = await Test.createTestingModule({ imports, providers: [Job] })
    .overrideProvider(REDLOCK_SERVERS)
    .useValue(memory)
    .setLogger(new CollectingLogger())
    .compile();
  await app.init();
  apps.push(app);
  return app;
}

/** These servers refuse everything until the function that it gives is called. */
function cutOff(app: TestingModule, ...names: string[]): () => void {
  const { client } = app.get(RedlockService);
  const nodes = client.shards.servers
    .map(({ node }) => node)
    .filter(({ name }) => names.some((n) => name.startsWith(n)));
  expect(nodes).toHaveLength(names.length);
  const spies = nodes.map((node) =>
    jest.spyOn(node, 'execute').mockImplementation((requests, onReplies) => {
      onReplies(requests.map(() => refused));
    }),
  );
  return () => {
    for (const spy of spies) spy.mockRestore();
  };
}

const seconds = (count: number): Promise<void> => jest.advanceTimersByTimeAsync(count * 1000);

for (const isPausedBefore of [false, true]) {
  it(`catchUp makes up for a tick that no replica ran since a majority was away (job was paused and resumed: ${isPausedBefore})`, async () => {
    const app = await boot(new RedlockMemory());
    const jobs = app.get(RedlockJobs);
    if (isPausedBefore) {
      await jobs.pause('job');
      const mend = cutOff(app, 'a');
      await jobs.resume('job'); // A majority has taken it: it is resumed on all replicas.
      mend();
    }
    const status = await jobs.get('job');
    expect(status.paused).toBeUndefined();
    await seconds(20);
    // From 01:59:50 to 02:00:40 two of three servers refuse.
    const mend = cutOff(app, 'b', 'c');
    await seconds(50);
    expect(runs).toEqual([]);
    mend();
    app.get(RedlockService).client.events.emit('quorumRegained', { voting: 3, servers: 3, needed: 2, lostForMs: 1 });
    await seconds(10);
    expect(runs).toEqual(['02:00:00 late']);
  });
}
