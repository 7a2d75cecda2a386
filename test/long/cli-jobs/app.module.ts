import { Injectable, Module } from '@nestjs/common';
import { Cron, ScheduleModule } from '@nestjs/schedule';
import { currentLock, RedlockModule, WithLock } from 'redlock-nestjs';

@Injectable()
class Jobs {
  @Cron('0 0 1 1 *')
  @WithLock('yearly', '10s')
  yearly(): Promise<void> {
    if (process.env.FAILS !== undefined) return Promise.reject(new Error('out of paper'));
    process.stderr.write(`fencing token ${currentLock()!.fencingToken}\n`);
    return Promise.resolve();
  }
}

@Module({
  imports: [ScheduleModule.forRoot(), RedlockModule.forRoot((process.env.APP_SERVERS ?? '').split(','))],
  providers: [Jobs],
})
export class AppModule {}
