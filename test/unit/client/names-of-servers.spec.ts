import { describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Cron, ScheduleModule } from '@nestjs/schedule';
import { Test } from '@nestjs/testing';
import type { RedisOptions } from 'ioredis';
import { RedlockModule, WithLock } from 'redlock-nestjs';
import { toSettings } from '../../../lib/client/options/module-options.js';
import { CollectingLogger } from '../../support/collecting-logger.js';

@Injectable()
class One {
  @Cron('0 0 3 * * *')
  @WithLock('sync', '1s')
  run(): Promise<void> {
    return Promise.resolve();
  }
}
@Injectable()
class Two {
  @Cron('0 0 3 * * *')
  @WithLock('sync', '1s', { instance: 'other' })
  run(): Promise<void> {
    return Promise.resolve();
  }
}

describe('P8, P9: two instances of the module with servers of their own', () => {
  it('may have a job of the same name each, also where both are behind Sentinels that call their master mymaster', async () => {
    const behind = (port: number): RedisOptions => ({ sentinels: [{ host: '127.0.0.1', port }], name: 'mymaster' });
    const app = await Test.createTestingModule({
      imports: [
        ScheduleModule.forRoot(),
        RedlockModule.forRoot({ servers: behind(1) }),
        RedlockModule.forRoot({ servers: behind(2), name: 'other' }),
      ],
      providers: [One, Two],
    })
      .setLogger(new CollectingLogger())
      .compile();
    try {
      await expect(app.init()).resolves.toBeDefined();
    } finally {
      await app.close();
    }
  });
});

describe('a given Cluster', () => {
  it('is named by its first node, in whatever form ioredis takes that', () => {
    const cluster = (node: unknown) =>
      ({
        call: () => 0,
        connect: () => 0,
        on: () => 0,
        off: () => 0,
        status: 'wait',
        isCluster: true,
        startupNodes: [node],
        options: {},
      }) as never;
    const nameOf = (node: unknown): string => toSettings({ servers: cluster(node) }).shards[0]![0]!.name;
    expect([nameOf({ host: 'eu.example', port: 7000 }), nameOf('redis://eu.example:7000'), nameOf(7001)]).toEqual([
      'eu.example:7000',
      'eu.example:7000',
      expect.stringMatching(/:7001$/),
    ]);
    const shards = [[cluster('redis://eu.example:7000')], [cluster('redis://us.example:7000')]];
    expect(() => toSettings({ shards })).not.toThrow();
  });
});
