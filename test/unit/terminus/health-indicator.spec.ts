import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Injectable, Module, ServiceUnavailableException, type DynamicModule, type Type } from '@nestjs/common';
import { Cron } from '@nestjs/schedule';
import { HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { Test, type TestingModule } from '@nestjs/testing';
import {
  getRedlockToken,
  RedlockJobs,
  RedlockModule,
  WithLock,
  type RedlockHealth,
  type RedlockService,
} from 'redlock-nestjs';
import { RedlockHealthIndicator } from 'redlock-nestjs/terminus';
import { RedlockTestingModule } from 'redlock-nestjs/testing';
import { DEGRADED } from '../../support/telemetry-app.js';

@Module({ imports: [TerminusModule.forRoot({ logger: false })], providers: [RedlockHealthIndicator] })
class HealthModule {}

describe('the health indicator', () => {
  let app: TestingModule;
  afterEach(() => app.close());

  async function boot(...imports: (DynamicModule | Type)[]): Promise<RedlockHealthIndicator> {
    app = await Test.createTestingModule({ imports: [HealthModule, ...imports] }).compile();
    await app.init();
    return app.get(RedlockHealthIndicator, { strict: false });
  }

  function says(health: RedlockHealth, instance?: string): void {
    jest
      .spyOn(app.get<RedlockService>(getRedlockToken(instance), { strict: false }), 'health')
      .mockResolvedValue(health);
  }

  /** What a readiness probe gets: the details, or those of the exception. */
  async function probe(indicator: RedlockHealthIndicator, instance?: string): Promise<unknown> {
    const check = (): ReturnType<RedlockHealthIndicator['isHealthy']> =>
      indicator.isHealthy('locks', instance === undefined ? {} : { instance });
    try {
      return await app.get(HealthCheckService, { strict: false }).check([check]);
    } catch (error) {
      return (error as ServiceUnavailableException).getResponse();
    }
  }

  it('is up while a majority votes, with the state and reason of each server', async () => {
    const indicator = await boot(RedlockTestingModule.forRoot());
    says(DEGRADED);
    expect(await indicator.isHealthy('locks')).toEqual({
      locks: {
        status: 'up',
        voting: 2,
        needed: 2,
        servers: [
          { server: 'redis-1:6379', state: 'ready', warnings: [] },
          { server: 'redis-2:6379', state: 'ready', warnings: [] },
          { server: 'redis-3:6379', state: 'down', reason: 'ECONNREFUSED', warnings: [] },
        ],
      },
    });
    expect(await probe(indicator)).toMatchObject({ status: 'ok', info: { locks: { status: 'up' } } });
  });

  it('is down without a quorum, and fails the check of Terminus', async () => {
    const indicator = await boot(RedlockTestingModule.forRoot());
    says({ ...DEGRADED, quorum: false, voting: 1 });
    expect(await probe(indicator)).toMatchObject({
      status: 'error',
      error: { locks: { status: 'down', voting: 1, needed: 2 } },
    });
  });

  it('is down where one of several shards has no quorum, and shows which', async () => {
    const indicator = await boot(RedlockTestingModule.forRoot());
    const shards = [true, false].map((quorum) => ({ quorum, voting: quorum ? 2 : 0, needed: 1, servers: [] }));
    says({ ...DEGRADED, quorum: false, shards });
    expect(await indicator.isHealthy('locks')).toMatchObject({ locks: { status: 'down', shards } });
  });

  it('asks the instance that it is told, and names one that is not there', async () => {
    const indicator = await boot(
      RedlockTestingModule.forRoot(),
      RedlockTestingModule.forRoot({ name: 'second', isGlobal: false }),
    );
    says({ ...DEGRADED, quorum: false }, 'second');
    expect(await indicator.isHealthy('locks')).toMatchObject({ locks: { status: 'up', voting: 1 } });
    expect(await indicator.isHealthy('locks', { instance: 'second' })).toMatchObject({ locks: { status: 'down' } });
    await expect(indicator.isHealthy('locks', { instance: 'third' })).rejects.toThrow(
      'RedlockHealthIndicator: there is no RedlockModule with the name "third".',
    );
  });

  describe('in an application with jobs', () => {
    @Injectable()
    class Jobs {
      @Cron('0 0 2 * * *')
      @WithLock('invoices', '10s')
      invoices(): Promise<void> {
        return Promise.resolve();
      }
    }

    @Module({ providers: [Jobs] })
    class JobsModule {}

    async function bootJobs(overdue: boolean): Promise<RedlockHealthIndicator> {
      const indicator = await boot(
        RedlockTestingModule.forRoot(),
        RedlockTestingModule.forRoot({ name: 'second' }),
        JobsModule,
      );
      const known = app.get(RedlockJobs);
      const [status] = await known.list();
      const late = { ...status!, overdue: { tick: new Date(0), byMs: 1 } };
      jest
        .spyOn(known, 'list')
        .mockImplementation(({ instance } = {}) =>
          Promise.resolve(instance === 'default' ? [overdue ? late : status!] : []),
        );
      return indicator;
    }

    it('names those that are overdue, and is up all the same', async () => {
      const indicator = await bootJobs(true);
      expect(await indicator.isHealthy('locks')).toMatchObject({ locks: { status: 'up', overdue: ['invoices'] } });
      expect(await indicator.isHealthy('locks', { instance: 'second' })).not.toHaveProperty('locks.overdue');
    });

    it('asks the servers of its own instance alone', async () => {
      @Injectable()
      class Reports {
        @Cron('0 0 3 * * *')
        @WithLock('reports', '10s', { instance: 'second' })
        reports(): Promise<void> {
          return Promise.resolve();
        }
      }
      @Module({ providers: [Jobs, Reports] })
      class BothModule {}
      const instances = [RedlockTestingModule.forRoot(), RedlockTestingModule.forRoot({ name: 'second' })];
      const indicator = await boot(...instances, BothModule);
      const { client } = app.get<RedlockService>(getRedlockToken('second'));
      const read = jest.spyOn(client.jobs, 'read').mockRejectedValue(new Error('its servers are away'));
      expect(await indicator.isHealthy('locks')).toMatchObject({ locks: { status: 'up', overdue: [] } });
      expect(read).not.toHaveBeenCalled();
      await indicator.isHealthy('locks', { instance: 'second' });
      expect(read).toHaveBeenCalledTimes(1);
    });

    it('is down then where it is to be', async () => {
      const indicator = await bootJobs(true);
      for (const options of [{ overdueIsDown: true }, { overdueIsDown: true, instance: 'default' }]) {
        expect(await indicator.isHealthy('locks', options)).toMatchObject({
          locks: { status: 'down', overdue: ['invoices'] },
        });
      }
    });

    it('is up where it is to be down then, and none is', async () => {
      const indicator = await bootJobs(false);
      const options = { overdueIsDown: true };
      expect(await indicator.isHealthy('locks', options)).toMatchObject({ locks: { status: 'up', overdue: [] } });
    });
  });

  it('shows no password', async () => {
    const indicator = await boot(RedlockModule.forRoot('redis://user:hunter2@127.0.0.1:1', { nodeTimeout: 50 }));
    const result = await indicator.isHealthy('locks');
    expect(result).toMatchObject({ locks: { status: 'down', voting: 0, needed: 1 } });
    expect(JSON.stringify(result)).not.toContain('hunter2');
  });
});
