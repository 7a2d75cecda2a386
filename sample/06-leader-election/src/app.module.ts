import { Module } from '@nestjs/common';
import { RedlockModule } from 'redlock-nestjs';
import { Election } from './election.js';
import { Replica } from './replica.js';

const servers = (process.env.REDLOCK_SERVERS || 'redis://localhost:6379').split(',');

@Module({
  imports: [RedlockModule.forRoot(servers, { keyPrefix: 'sample-06:' })],
  providers: [Election, Replica],
})
export class AppModule {}
