import { Module } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { TerminusModule } from '@nestjs/terminus';
import { RedlockModule } from 'redlock-nestjs';
import { RedlockOtelModule } from 'redlock-nestjs/otel';
import { RedlockHealthIndicator } from 'redlock-nestjs/terminus';
import { HealthController } from './health.controller.js';
import { Invoices } from './invoices.js';
import { MetricsController, meterProvider } from './metrics.controller.js';

const servers = (process.env.REDLOCK_SERVERS || 'redis://localhost:6379').split(',');

@Module({
  imports: [
    ScheduleModule.forRoot(),
    TerminusModule,
    RedlockModule.forRoot(servers, { keyPrefix: 'sample-08:' }),
    RedlockOtelModule.forRoot({ meterProvider }),
  ],
  controllers: [HealthController, MetricsController],
  providers: [Invoices, RedlockHealthIndicator],
})
export class AppModule {}
