// What an application writes, for each release of TypeScript to check against the packed types.
import { Injectable, Module } from '@nestjs/common';
import { Cron, ScheduleModule } from '@nestjs/schedule';
import { Redis } from 'ioredis';
import {
  currentLock,
  InjectRedlock,
  LockContendedError,
  RedlockEvents,
  RedlockExceptionFilter,
  RedlockJobs,
  RedlockModule,
  RedlockService,
  WithLock,
  type Lock,
  type RedlockHealth,
} from 'redlock-nestjs';
import { lockNodeContract, RedisContractServer } from 'redlock-nestjs/contract';
import { RedlockDashboardModule } from 'redlock-nestjs/dashboard';
import { RedlockLockStore } from 'redlock-nestjs/lock-store';
import { RedlockOtelModule } from 'redlock-nestjs/otel';
import { RedlockHealthIndicator } from 'redlock-nestjs/terminus';
import { RedlockMemory, RedlockTestingModule } from 'redlock-nestjs/testing';

@Injectable()
export class Orders {
  constructor(
    private readonly redlock: RedlockService,
    @InjectRedlock('billing') readonly billing: RedlockService,
    readonly events: RedlockEvents,
    readonly jobs: RedlockJobs,
  ) {
    events.on('jobFailed', ({ job, error, durationMs }) => console.log(job.length, error, durationMs + 1));
  }

  @Cron('0 2 * * *')
  @WithLock('orders', '30s', { perTick: true })
  async nightly(): Promise<void> {
    currentLock()?.assertHeld();
    for (const { overdue } of await this.jobs.list()) console.log(overdue?.byMs ?? 0);
    await this.redlock.health().then(({ quorum }: RedlockHealth) => quorum);
  }

  @WithLock((id: string) => ['orders', id])
  async ship(id: string): Promise<string> {
    const result: string = await this.redlock.withLock(id, '10s', async (lock: Lock) => `${lock.fencingToken}`);
    const skipped: string | undefined = await this.redlock.withLock(id, 5000, async () => id, { onContended: 'skip' });
    // @ts-expect-error a ttl is a number or a text
    await this.redlock.acquire(id, true).catch((error: unknown) => error instanceof LockContendedError && error.owner);
    return skipped ?? result;
  }
}

@Module({
  imports: [
    ScheduleModule.forRoot(),
    RedlockModule.forRoot([new Redis({ lazyConnect: true }), 'redis://localhost:6379', { host: 'localhost' }]),
    RedlockModule.forRootAsync({ name: 'billing', useFactory: () => ({ shards: [['localhost:1'], ['localhost:2']] }) }),
    RedlockOtelModule.forRoot(),
    RedlockDashboardModule.forRoot({ authorize: () => true }),
    RedlockTestingModule.forRoot({ memory: new RedlockMemory() }),
  ],
  providers: [Orders, RedlockHealthIndicator, RedlockExceptionFilter],
})
export class AppModule {}

export const store = (redlock: RedlockService): RedlockLockStore => new RedlockLockStore(redlock);
export const names: string[] = lockNodeContract(() => new RedisContractServer('redis://localhost').empty()).map(
  ({ name }) => name,
);
