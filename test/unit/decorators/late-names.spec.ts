import { describe, expect, it } from '@jest/globals';
import { Cron } from '@nestjs/schedule';
import { WithLock } from 'redlock-nestjs';
import { scheduledApps } from '../../support/scheduled-app.js';

const seen: string[] = [];

class Sync {
  key: string | undefined;

  constructor(private readonly name: string) {}

  @Cron('* * * * * *')
  @WithLock(function (this: Sync) {
    if (this.key === undefined) throw new Error('the configuration is not loaded yet');
    return this.key;
  }, '500ms')
  run(): Promise<void> {
    seen.push(this.name);
    return Promise.resolve();
  }
}

describe('P8: two hosts of one method whose keys are known only after the boot', () => {
  const { boot, seconds, logger } = scheduledApps();

  it('and are the same: no host starves without a word', async () => {
    const names = ['mails', 'invoices'];
    const app = await boot(names.map((provide) => ({ provide, useFactory: () => new Sync(provide) })));
    for (const name of names) app.get<Sync>(name).key = 'sync';
    await seconds(6);
    // Either both run, or the one that does not run is told of, as it is for two classes.
    const starved = names.filter((name) => !seen.includes(name));
    const told = logger.problems.filter((line) => line.includes('two hosts of Sync.run'));
    expect({ starved, isTold: told.length > 0 }).not.toEqual({ starved: [expect.any(String)], isTold: false });
  });
});
