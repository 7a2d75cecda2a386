import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Cron } from '@nestjs/schedule';
import { WithLock } from 'redlock-nestjs';

@Injectable()
export class Invoices {
  @Cron('* * * * * *')
  @WithLock('invoices', '900ms')
  async sendInvoices(): Promise<void> {
    await sleep(20);
  }
}
