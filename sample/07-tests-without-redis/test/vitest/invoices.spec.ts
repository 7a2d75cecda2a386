import { Test, type TestingModule } from '@nestjs/testing';
import { RedlockService } from 'redlock-nestjs';
import { REDLOCK_SERVERS, RedlockMemory, RedlockTestingModule } from 'redlock-nestjs/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { AppModule } from '../../src/app.module.js';
import { Invoices } from '../../src/invoices.js';

describe('the application, as two replicas', () => {
  let replicas: TestingModule[];
  beforeEach(async () => {
    vi.useFakeTimers({ now: new Date(2026, 0, 31, 1, 59, 59) });
    const memory = new RedlockMemory(); // Shared: this is what makes them replicas.
    const boot = async () => {
      const testing = Test.createTestingModule({ imports: [AppModule] });
      return await (await testing.overrideProvider(REDLOCK_SERVERS).useValue(memory).compile()).init();
    };
    replicas = [await boot(), await boot()];
  });
  afterEach(async () => {
    for (const replica of replicas) await replica.close();
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it('runs each tick of the job on one of them', async () => {
    const log = vi.spyOn(console, 'log').mockReturnValue();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(log).toHaveBeenCalledTimes(2);
  });
});

describe('one provider, without the application', () => {
  const memory = new RedlockMemory();
  let module: TestingModule;
  beforeAll(async () => {
    const imports = [RedlockTestingModule.forRoot({ memory })];
    module = await Test.createTestingModule({ imports, providers: [Invoices] }).compile();
  });
  afterEach(() => memory.clear());
  afterAll(() => module.close());

  it('does not send an invoice that another replica sends', async () => {
    await module.get(RedlockService).acquire('invoice:7', '10s');
    expect(await module.get(Invoices).send('7')).toBe(false);
    expect(await module.get(Invoices).send('8')).toBe(true);
  });

  it('begins with no lock held: the memory was cleared after the test before', async () => {
    expect(await module.get(Invoices).send('7')).toBe(true);
  });
});
