import { Test, type TestingModule } from '@nestjs/testing';
import { RedlockEvents, RedlockService, type RedlockHealth } from 'redlock-nestjs';
import { RedlockOtelModule } from 'redlock-nestjs/otel';
import { RedlockTestingModule } from 'redlock-nestjs/testing';
import type { Telemetry } from './telemetry.js';

/** An application without jobs, whose locks are in memory. */
export async function telemetryApp(telemetry: Telemetry): Promise<TestingModule> {
  const imports = [RedlockTestingModule.forRoot(), RedlockOtelModule.forRoot(telemetry.options)];
  const app = await Test.createTestingModule({ imports }).compile();
  return await app.init();
}

/** Makes everything happen once that a metric is about. */
export async function recordAll(app: TestingModule): Promise<void> {
  const redlock = app.get(RedlockService);
  const source = app.get(RedlockEvents).sourceFor('second');
  const about = { keys: ['invoices'], method: 'Jobs.send', owner: 'host:1' };
  const ofJob = { ...about, job: 'invoices', trigger: 'schedule' as const, fencingToken: 1 };
  await redlock.withLock('orders', '5s', async () => {
    await redlock.tryAcquire('orders', '5s');
  });
  source.emit('unreachable', { ...about, waitedMs: 1500, votes: [] });
  const lost = { ...about, fencingToken: 1, heldMs: 2500, message: '', votes: [] };
  source.emit('lost', { ...lost, reason: 'expired', hadWork: true });
  for (const reason of ['locked', 'unreachable'] as const)
    source.emit('skipped', { ...about, job: 'invoices', reason, message: '' });
  source.emit('jobSucceeded', { ...ofJob, durationMs: 1000 });
  source.emit('jobFailed', { ...ofJob, durationMs: 1000, error: new Error('no paper'), outcome: 'failed' });
  source.emit('jobFailed', { ...ofJob, durationMs: 1000, error: { code: 'LOCK_LOST' }, outcome: 'lost' });
  source.emit('jobOverdue', { ...about, job: 'invoices', tick: new Date(0), byMs: 60_000, reason: 'missed' });
}

/** Three servers, of which two vote. */
export const DEGRADED: RedlockHealth = {
  quorum: true,
  voting: 2,
  needed: 2,
  servers: [
    { server: 'redis-1:6379', state: 'ready', since: new Date(0), latencyMs: 2, clockOffsetMs: -30, warnings: [] },
    { server: 'redis-2:6379', state: 'ready', since: new Date(0), latencyMs: 4, warnings: [] },
    { server: 'redis-3:6379', state: 'down', since: new Date(0), reason: 'ECONNREFUSED', warnings: [] },
  ],
};
