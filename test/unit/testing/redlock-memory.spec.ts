import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Test, type TestingModule } from '@nestjs/testing';
import { RedlockService } from 'redlock-nestjs';
import { RedlockMemory, RedlockTestingModule } from 'redlock-nestjs/testing';

describe('a memory that is cleared', () => {
  const memory = new RedlockMemory();
  let app: TestingModule;
  let service: RedlockService;
  beforeEach(async () => {
    app = await Test.createTestingModule({ imports: [RedlockTestingModule.forRoot({ memory })] }).compile();
    service = app.get(RedlockService);
  });
  afterEach(async () => {
    memory.clear();
    await app.close();
  });

  it('has no lock and no tick that has run', async () => {
    const tick = new Date('2026-03-01T02:00:00Z');
    const run = async (): Promise<string | undefined> =>
      await service.withLock('k', '5s', () => Promise.resolve('ran'), { tick, wait: 0, onContended: 'skip' });
    expect([await run(), await run()]).toEqual(['ran', undefined]);
    await service.acquire('held', '5s');
    memory.clear();
    expect(await run()).toBe('ran');
    expect(await service.tryAcquire('held', '5s')).not.toBeNull();
  });

  it('P2: gives larger fencing tokens than before all the same', async () => {
    const before = await service.acquire('k', '5s');
    memory.clear();
    const after = await service.tryAcquire('k', '5s');
    expect(after?.fencingToken).toBeGreaterThan(before.fencingToken);
  });

  it('P2: and the first of them are ahead of those of an earlier run', async () => {
    const startMs = Date.now();
    const { fencingToken } = await service.acquire('another', '5s');
    expect(fencingToken).toBeGreaterThan(startMs * 1000);
    expect(Number.isSafeInteger(fencingToken)).toBe(true);
  });

  it('P6: takes their locks from those who hold them, who notice with the next extension', async () => {
    const lock = await service.acquire('k', '5s');
    memory.clear();
    await expect(lock.extend()).rejects.toThrow('k');
    expect([lock.isHeld(), lock.signal.aborted]).toEqual([false, true]);
  });
});
