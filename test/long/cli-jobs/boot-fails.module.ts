import { Injectable, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { Cron, ScheduleModule } from '@nestjs/schedule';
import { RedlockModule, WithLock } from 'redlock-nestjs';

@Injectable()
class Jobs implements OnApplicationBootstrap {
  @Cron('0 0 1 1 *')
  @WithLock('yearly', '10s')
  yearly(): Promise<void> {
    return Promise.resolve();
  }
  async onApplicationBootstrap(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 50));
    throw new Error('the database is away');
  }
}

@Module({
  imports: [ScheduleModule.forRoot(), RedlockModule.forRoot((process.env.APP_SERVERS ?? '').split(','))],
  providers: [Jobs],
})
export class AppModule {}
