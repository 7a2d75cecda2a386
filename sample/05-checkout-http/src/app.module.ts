import { Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { RedlockExceptionFilter, RedlockModule } from 'redlock-nestjs';
import { CheckoutController } from './checkout.controller.js';
import { Checkout } from './checkout.js';
import { Replica } from './replica.js';

const servers = (process.env.REDLOCK_SERVERS || 'redis://localhost:6379').split(',');

@Module({
  imports: [RedlockModule.forRoot(servers, { keyPrefix: 'sample-05:' })],
  controllers: [CheckoutController],
  providers: [Checkout, Replica, { provide: APP_FILTER, useClass: RedlockExceptionFilter }],
})
export class AppModule {}
