import { Injectable, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { CronJob } from 'cron';
import { RedlockJobs, RedlockModule } from 'redlock-nestjs';

/** Its CronJob is its own: there is no ScheduleModule, `@nestjs/schedule` is optional. */
@Injectable()
class Jobs implements OnApplicationBootstrap {
  constructor(private readonly jobs: RedlockJobs) {}
  onApplicationBootstrap(): void {
    const cron = new CronJob('0 0 1 1 *', () => mails.fire());
    const mails = this.jobs.add('mails', {
      cron,
      ttl: '1m',
      run: () => Promise.resolve(void process.stderr.write('sent\n')),
    });
  }
}

@Module({
  imports: [RedlockModule.forRoot((process.env.APP_SERVERS ?? '').split(','))],
  providers: [Jobs],
})
export class AppModule {}
