import { expect, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import { CronJob } from 'cron';
import { RedlockJobs } from 'redlock-nestjs';
import { RedlockMemory, RedlockTestingModule } from 'redlock-nestjs/testing';
import { CollectingLogger } from '../../support/collecting-logger.js';

it('jobs.add refuses a name that another job has, also one that another instance of the module locks on the same servers', async () => {
  const memory = new RedlockMemory();
  const imports = ['one', 'two'].map((name) => RedlockTestingModule.forRoot({ memory, name }));
  const app = await Test.createTestingModule({ imports }).setLogger(new CollectingLogger()).compile();
  await app.init();
  const add = (instance: string): unknown => {
    const cron = new CronJob('0 * * * * *', () => undefined);
    return app.get(RedlockJobs).add('mails', { cron, instance, ttl: '10s', run: () => Promise.resolve() });
  };
  add('one');
  expect(() => add('two')).toThrow(/"mails"/);
  await app.close();
});
