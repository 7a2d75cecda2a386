import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { TestingModule } from '@nestjs/testing';
import { RedlockEvents, RedlockService } from 'redlock-nestjs';
import { Telemetry } from '../../support/telemetry.js';
import { DEGRADED, recordAll, telemetryApp } from '../../support/telemetry-app.js';

describe('the metrics', () => {
  let telemetry: Telemetry;
  let app: TestingModule;
  let redlock: RedlockService;
  beforeEach(async () => {
    telemetry = new Telemetry();
    app = await telemetryApp(telemetry);
    redlock = app.get(RedlockService);
  });
  afterEach(async () => {
    await app.close();
    await telemetry.shutdown();
  });

  const ofSecond = { 'redlock.instance': 'second', 'code.function.name': 'Jobs.send' };

  it('measure in seconds how long calls waited, by how that ended', async () => {
    await recordAll(app);
    const waits = await telemetry.points('redlock.wait.duration');
    expect(waits.map(({ value, attributes }) => [value, attributes])).toEqual([
      [1, { 'redlock.outcome': 'acquired' }],
      [1, { 'redlock.outcome': 'contended' }],
      [1, { ...ofSecond, 'redlock.outcome': 'unreachable' }],
    ]);
    expect(waits[2]!.sum).toBe(1.5);
    expect(waits[0]!.sum).toBeLessThan(1);
  });

  it('measure in seconds how long locks were held, until they were released or lost', async () => {
    await recordAll(app);
    const holds = await telemetry.points('redlock.hold.duration');
    expect(holds.map(({ value, attributes }) => [value, attributes])).toEqual([
      [1, { 'redlock.outcome': 'released' }],
      [1, { ...ofSecond, 'redlock.outcome': 'lost' }],
    ]);
    expect(holds[1]!.sum).toBe(2.5);
  });

  it('count grants, and name no key', async () => {
    for (const key of ['a', 'b']) await redlock.withLock(key, '5s', () => Promise.resolve());
    expect(await telemetry.points('redlock.grants')).toEqual([{ value: 2, attributes: {} }]);
  });

  it('count calls that other holders kept from a lock', async () => {
    await recordAll(app);
    expect(await telemetry.points('redlock.contentions')).toEqual([
      { value: 1, attributes: { 'redlock.reason': 'locked' } },
    ]);
  });

  it('count locks that were lost, and say whether work ran under them', async () => {
    await recordAll(app);
    expect(await telemetry.points('redlock.losses')).toEqual([
      { value: 1, attributes: { ...ofSecond, 'redlock.reason': 'expired', 'redlock.had_work': true } },
    ]);
  });

  it('count by their reason the calls whose work did not run', async () => {
    await redlock.withLock('k', '5s', async () => {
      await redlock.withLock('k', '5s', () => Promise.resolve(), { wait: 0, onContended: 'skip' });
    });
    expect(await telemetry.points('redlock.skips')).toEqual([{ value: 1, attributes: { 'redlock.reason': 'locked' } }]);
  });

  it('count runs of jobs by their outcome', async () => {
    await recordAll(app);
    const ofJob = { ...ofSecond, 'redlock.job': 'invoices', 'redlock.trigger': 'schedule' };
    expect(await telemetry.points('redlock.job.runs')).toEqual(
      ['succeeded', 'failed', 'lost'].map((outcome) => ({
        value: 1,
        attributes: { ...ofJob, 'redlock.outcome': outcome },
      })),
    );
  });

  it('show how many servers are in each state, the margin of the quorum and the latency of each server', async () => {
    jest.spyOn(redlock, 'health').mockResolvedValue(DEGRADED);
    expect((await telemetry.points('redlock.servers')).map(({ value, attributes }) => [attributes, value])).toEqual([
      [{ 'redlock.server.state': 'ready' }, 2],
      [{ 'redlock.server.state': 'connecting' }, 0],
      [{ 'redlock.server.state': 'down' }, 1],
      [{ 'redlock.server.state': 'silent' }, 0],
      [{ 'redlock.server.state': 'refusing' }, 0],
      [{ 'redlock.server.state': 'quarantined' }, 0],
    ]);
    expect(await telemetry.points('redlock.quorum.margin')).toEqual([{ value: 0, attributes: {} }]);
    expect(await telemetry.points('redlock.server.latency')).toEqual([
      { value: 0.002, attributes: { 'redlock.server': 'redis-1:6379' } },
      { value: 0.004, attributes: { 'redlock.server': 'redis-2:6379' } },
    ]);
    expect(await telemetry.points('redlock.server.clock.offset')).toEqual([
      { value: -0.03, attributes: { 'redlock.server': 'redis-1:6379' } },
    ]);
  });

  it('show the margin of each shard, because one that has no quorum is not made good by another', async () => {
    const servers = DEGRADED.servers.map((each, shard) => ({ ...each, shard }));
    const shards = [1, 1, 0].map((voting) => ({ quorum: voting > 0, voting, needed: 1, servers: [] }));
    jest.spyOn(redlock, 'health').mockResolvedValue({ quorum: false, voting: 2, needed: 3, servers, shards });
    expect(await telemetry.points('redlock.quorum.margin')).toEqual([
      { value: 0, attributes: { 'redlock.shard': 0 } },
      { value: 0, attributes: { 'redlock.shard': 1 } },
      { value: -1, attributes: { 'redlock.shard': 2 } },
    ]);
    expect(await telemetry.points('redlock.servers')).toContainEqual({
      value: 1,
      attributes: { 'redlock.shard': 2, 'redlock.server.state': 'down' },
    });
  });

  it('ask the servers once for all that collect within five seconds, and never after the end of the application', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate'] });
    try {
      const health = jest.spyOn(redlock, 'health');
      await Promise.all([telemetry.points('redlock.servers'), telemetry.points('redlock.quorum.margin')]);
      expect(health).toHaveBeenCalledTimes(1);
      jest.advanceTimersByTime(4999);
      await telemetry.points('redlock.servers');
      expect(health).toHaveBeenCalledTimes(1);
      jest.advanceTimersByTime(1);
      await telemetry.points('redlock.servers');
      expect(health).toHaveBeenCalledTimes(2);
      jest.advanceTimersByTime(5000);
      await app.close();
      await telemetry.points('redlock.servers');
      expect(health).toHaveBeenCalledTimes(2);
    } finally {
      jest.useRealTimers();
    }
  });

  it('leave the meter when the application closes, so that the meter does not keep it in memory', async () => {
    const removal = jest.spyOn(
      telemetry.options.meterProvider.getMeter('redlock-nestjs'),
      'removeBatchObservableCallback',
    );
    await app.close();
    expect(removal).toHaveBeenCalledTimes(1);
  });

  it('have the names of OpenTelemetry: lower case, dots, and units of UCUM', async () => {
    await recordAll(app);
    jest.spyOn(redlock, 'health').mockResolvedValue(DEGRADED);
    const described = await telemetry.descriptors();
    expect(described).toEqual({
      'redlock.wait.duration': 's',
      'redlock.hold.duration': 's',
      'redlock.grants': '{grant}',
      'redlock.contentions': '{call}',
      'redlock.losses': '{lock}',
      'redlock.skips': '{call}',
      'redlock.job.runs': '{run}',
      'redlock.servers': '{server}',
      'redlock.quorum.margin': '{server}',
      'redlock.server.latency': 's',
      'redlock.server.clock.offset': 's',
    });
  });

  it('are not hurt by a server check that fails', async () => {
    jest.spyOn(redlock, 'health').mockRejectedValue(new Error('a stand-in'));
    app.get(RedlockEvents).sourceFor(undefined).emit('skipped', { keys: [], owner: '', reason: 'locked', message: '' });
    expect(await telemetry.points('redlock.skips')).toHaveLength(1);
    expect(await telemetry.points('redlock.servers')).toEqual([]);
  });
});
