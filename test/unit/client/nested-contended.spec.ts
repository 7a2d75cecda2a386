import { expect, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import { RedlockEvents, RedlockService } from 'redlock-nestjs';
import { RedlockTestingModule } from 'redlock-nestjs/testing';

it('emits contended also where a nested call gets no turn', async () => {
  const app = await Test.createTestingModule({ imports: [RedlockTestingModule.forRoot()] }).compile();
  await app.init();
  const redlock = app.get(RedlockService);
  const events: string[] = [];
  app.get(RedlockEvents).on('contended', ({ reason }) => events.push(reason));
  let message = '';
  await redlock.withLock('k', '5s', async () => {
    let end = (): void => undefined;
    let first: Promise<void> | undefined;
    await new Promise<void>((onBegun) => {
      const work = (): Promise<void> => new Promise((resolve) => ((end = resolve), onBegun()));
      first = redlock.withLock('k', '5s', work, { reentrant: true });
    });
    await redlock
      .withLock('k', '5s', () => Promise.resolve(), { reentrant: true, wait: 0 })
      .catch((error: unknown) => (message = String(error)));
    end();
    await first;
  });
  await app.close();
  expect([message, events]).toEqual([expect.stringContaining('is locked by'), ['locked']]);
});
