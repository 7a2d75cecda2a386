import { Module } from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { RedlockModule } from 'redlock-nestjs';
import { Reports } from './reports.js';

@Module({
  imports: [
    ConfigModule.forRoot(),
    RedlockModule.forRootAsync({
      imports: [ConfigModule],
      inject: [ConfigService],
      useFactory: (config: ConfigService) => ({
        servers: config.get('REDLOCK_SERVERS', 'redis://localhost:6379').split(','),
        keyPrefix: config.getOrThrow<string>('LOCK_PREFIX'),
        ttl: config.get('LOCK_TTL', '10s'),
        owner: config.get<string>('LOCK_OWNER'),
      }),
    }),
  ],
  providers: [Reports],
})
export class AppModule {}
