import { afterAll, afterEach, beforeEach, jest } from '@jest/globals';
import { ConsoleLogger, Logger, type DynamicModule, type Provider, type Type } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { Test, type TestingModule } from '@nestjs/testing';
import { RedlockMemory, RedlockTestingModule } from 'redlock-nestjs/testing';
import { CollectingLogger } from './collecting-logger.js';

/** Applications with the real scheduler, on virtual time and servers in memory. */
export interface ScheduledApps {
  readonly logger: CollectingLogger;
  /** The servers of one test. */
  readonly memory: RedlockMemory;
  /** One replica; those of one test share their servers. */
  boot(providers: Provider[], imports?: (DynamicModule | Type)[]): Promise<TestingModule>;
  /** Lets so many seconds pass. */
  seconds(count: number): Promise<void>;
}

/** To be called at the top of a describe block, for which time begins half a second before a minute. */
export function scheduledApps(): ScheduledApps {
  const logger = new CollectingLogger();
  const apps: TestingModule[] = [];
  let memory: RedlockMemory;
  beforeEach(() => {
    memory = new RedlockMemory();
    logger.lines.splice(0);
    jest.useFakeTimers({ now: Date.parse('2026-03-01T01:59:59.500Z'), doNotFake: ['nextTick', 'setImmediate'] });
  });
  afterEach(async () => {
    for (const app of apps.splice(0)) await app.close();
    jest.useRealTimers();
  });
  afterAll(() => {
    Logger.overrideLogger(new ConsoleLogger());
  });
  return {
    logger,
    get memory() {
      return memory;
    },
    async boot(providers, imports = []) {
      const modules = [ScheduleModule.forRoot(), RedlockTestingModule.forRoot({ memory }), ...imports];
      const app = await Test.createTestingModule({ imports: modules, providers }).setLogger(logger).compile();
      await app.init();
      apps.push(app);
      return app;
    },
    async seconds(count) {
      await jest.advanceTimersByTimeAsync(count * 1000);
    },
  };
}
