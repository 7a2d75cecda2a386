import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ConsoleLogger, Logger } from '@nestjs/common';
import { modelWorld } from '../../support/model-service.js';

beforeAll(() => {
  Logger.overrideLogger(false);
});
afterAll(() => {
  Logger.overrideLogger(new ConsoleLogger());
});

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

it('P18: nothing of a round is kept by a later round of the same key, which a timer has begun within it', async () => {
  const world = modelWorld(1);
  const service = world.serve();
  const kept: WeakRef<object>[] = [];
  let atEnd = (): void => undefined;
  const ended = new Promise<void>((resolve) => (atEnd = resolve));
  let finish = (): void => undefined;
  const round = async (left: number): Promise<void> => {
    await service.withLock('job', '1h', async (lock) => {
      kept.push(new WeakRef(lock));
      if (left > 0) {
        // The next round begins while this one works, and waits for its lock.
        await new Promise<void>((resolve) => {
          setTimeout(() => {
            void round(left - 1);
            resolve();
          }, 0);
        });
      } else {
        atEnd();
        await new Promise<void>((resolve) => (finish = resolve));
      }
    });
  };
  void round(300);
  const over = { is: false };
  void ended.then(() => (over.is = true));
  while (!over.is) await world.clock.advance(1);
  await sleep(5);
  collectGarbage();
  await sleep(5);
  collectGarbage();
  expect(kept).toHaveLength(301);
  expect(kept.filter((each) => each.deref() !== undefined).length).toBeLessThan(20);
  finish();
  await world.clock.advance(100);
});
