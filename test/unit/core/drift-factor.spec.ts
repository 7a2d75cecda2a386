import { expect, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import { setTimeout as pass } from 'node:timers/promises';
import { RedlockService } from 'redlock-nestjs';
import { RedlockTestingModule } from 'redlock-nestjs/testing';

it('P6: extends a lock in time, however much of its ttl the allowance for clocks takes', async () => {
  const app = await Test.createTestingModule({
    imports: [RedlockTestingModule.forRoot({ driftFactor: 0.7 })],
  }).compile();
  await app.init();
  const done = app.get(RedlockService).withLock('k', 1000, () => pass(1500, 'done'));
  await expect(done).resolves.toBe('done');
  await app.close();
});
