import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ConsoleLogger, Logger } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { getRedlockToken, RedlockEvents, type RedlockEvent, type RedlockService } from 'redlock-nestjs';
import { RedlockTestingModule } from 'redlock-nestjs/testing';
import { CollectingLogger } from '../../support/collecting-logger.js';

describe('P17: a listener of the application that fails', () => {
  const logger = new CollectingLogger();
  let app: TestingModule;
  let redlock: RedlockService;
  beforeEach(async () => {
    logger.lines.splice(0);
    const imports = [RedlockTestingModule.forRoot({ name: 'second' })];
    app = await Test.createTestingModule({ imports }).setLogger(logger).compile();
    await app.init();
    redlock = app.get<RedlockService>(getRedlockToken('second'));
  });
  afterEach(async () => {
    await app.close();
    Logger.overrideLogger(new ConsoleLogger());
  });

  const lockOnce = (): Promise<void> => redlock.withLock('k', '5s', () => Promise.resolve());

  it('is in the log, once, although nothing listens for warnings', async () => {
    app.get(RedlockEvents).on('acquired', () => {
      throw new Error('no such table');
    });
    await lockOnce();
    await lockOnce();
    const line = "A listener for the event 'acquired' has failed. The locks are not affected. no such table";
    expect(logger.problems).toEqual([expect.stringContaining(line)]);
  });

  it('is a warning of the instance whose event it was', async () => {
    const events = app.get(RedlockEvents);
    const warnings: RedlockEvent<'warning'>[] = [];
    events.on('warning', (event) => warnings.push(event));
    events.on('acquired', () => Promise.reject(new Error('no such table')));
    await lockOnce();
    await new Promise((resolve) => setImmediate(resolve));
    expect(warnings).toMatchObject([{ code: 'listener-failed', instance: 'second' }]);
  });

  it('is in the log, once, where it listens for warnings', () => {
    app.get(RedlockEvents).on('warning', () => {
      throw new Error('no such table');
    });
    const { events } = redlock.client;
    for (let round = 0; round < 3; round++) events.emit('warning', { code: 'c', level: 'log', message: 'm' });
    expect(logger.problems).toEqual([expect.stringContaining("A listener for the event 'warning' has failed")]);
  });
});
