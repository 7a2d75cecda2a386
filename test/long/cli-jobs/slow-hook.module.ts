import { Injectable, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { Cron, ScheduleModule } from '@nestjs/schedule';
import { currentLock, RedlockModule, RedlockService, WithLock } from 'redlock-nestjs';

@Injectable()
class Jobs implements OnApplicationBootstrap {
  constructor(private readonly redlock: RedlockService) {}

  /** As an application does it that fills a cache before it takes requests. */
  async onApplicationBootstrap(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 2500));
  }
  @Cron('* * * * * *')
  @WithLock('often', '10s')
  often(): Promise<void> {
    process.stderr.write(`TICK ${currentLock()?.tick?.toISOString()}\n`);
    return Promise.resolve();
  }
  @Cron('0 0 1 1 *')
  @WithLock('yearly', '10s')
  async yearly(): Promise<void> {
    if (process.env.INNER === undefined) return;
    await this.redlock.acquire('cellar', '10s');
    await this.redlock.acquire('cellar', '10s', { wait: 0 }); // Fails: it is locked.
  }
}

@Module({
  imports: [ScheduleModule.forRoot(), RedlockModule.forRoot((process.env.APP_SERVERS ?? '').split(','))],
  providers: [Jobs],
})
export class AppModule {}
