import { Module } from '@nestjs/common';
import { RedlockModule } from 'redlock-nestjs';
import { Shop } from './shop.js';

const servers = (process.env.REDLOCK_SERVERS || 'redis://localhost:6379').split(',');

@Module({
  imports: [RedlockModule.forRoot(servers, { keyPrefix: 'sample-02:' })],
  providers: [Shop],
})
export class AppModule {}
