import { Module } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { RedlockModule } from 'redlock-nestjs';
import { Invoices } from './invoices.js';
import { Replica } from './replica.js';

const servers = (process.env.REDLOCK_SERVERS || 'redis://localhost:6379').split(',');

@Module({
  imports: [ScheduleModule.forRoot(), RedlockModule.forRoot(servers, { keyPrefix: 'sample-01:' })],
  providers: [Invoices, Replica],
})
export class AppModule {}
