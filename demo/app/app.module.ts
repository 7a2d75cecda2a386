import { Module } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { RedlockModule } from 'redlock-nestjs';
import { Invoices } from './invoices.js';
import { Mailer } from './mailer.js';

const servers = (process.env.REDIS_URLS ?? '').split(',');

@Module({
  imports: [ScheduleModule.forRoot(), RedlockModule.forRoot(servers)],
  providers: [Invoices, Mailer],
})
export class AppModule {}
