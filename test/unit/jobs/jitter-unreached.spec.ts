import { afterEach, expect, it, jest } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Cron } from '@nestjs/schedule';
import { currentLock, getRedlockToken, RedlockEvents, WithLock, type RedlockService } from 'redlock-nestjs';
import type { NodeReply } from '../../../lib/core/ports/lock-node.js';
import { scheduledApps } from '../../support/scheduled-app.js';

const { boot, seconds } = scheduledApps();
const ticks: (string | undefined)[] = [];

@Injectable()
class Job {
  @Cron('0 * * * * *')
  @WithLock('job', '10s', { jitter: '1s', catchUp: '1h' })
  run(): Promise<void> {
    return Promise.resolve(void ticks.push(currentLock()?.tick?.toISOString().slice(11, 19)));
  }
}

afterEach(() => {
  ticks.splice(0);
  jest.restoreAllMocks();
});

/** The servers refuse for 300 ms, in which the jitter of the tick of two o'clock ends. */
async function shortOutageAtTheEndOfTheJitter(): Promise<string[]> {
  const app = await boot([Job]);
  const told: string[] = [];
  app.get(RedlockEvents).on('jobOverdue', ({ reason }) => told.push(reason));
  const { servers } = app.get<RedlockService>(getRedlockToken()).client.shards;
  jest.spyOn(Math, 'random').mockReturnValue(0.9);
  await seconds(1.3);
  const refused: NodeReply = { outcome: 'failed', reason: 'refused', cause: new Error('OOM') };
  const spies = servers.map(({ node }) =>
    jest.spyOn(node, 'execute').mockImplementation((requests, onReplies) => {
      onReplies(requests.map(() => refused));
    }),
  );
  await seconds(0.3);
  for (const spy of spies) spy.mockRestore();
  return told;
}

it('P8: a tick whose job cannot be looked up for 300 ms as its jitter ends runs all the same, or is made up for', async () => {
  await shortOutageAtTheEndOfTheJitter();
  await seconds(40);
  expect(ticks).toEqual(['02:00:00']);
});
