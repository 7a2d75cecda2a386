import { Module } from '@nestjs/common';
import { RedlockModule } from 'redlock-nestjs';

const servers = (process.env.REDLOCK_SERVERS || 'redis://localhost:6379').split(',');

@Module({ imports: [RedlockModule.forRoot(servers, { keyPrefix: 'sample-03:' })] })
export class AppModule {}
