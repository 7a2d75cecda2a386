import { Injectable } from '@nestjs/common';
import { Cron } from '@nestjs/schedule';
import { WithLock } from 'redlock-nestjs';
import { Mailer } from './mailer.js';

/**
 * All there is to it: every replica schedules the job, and one of them runs each tick.
 *
 * The ttl is shorter than the period, so the lock of a replica that dies in the middle is free again before the next
 * tick. It may well be shorter than the job: the lock is extended for as long as the job runs.
 */
@Injectable()
export class Invoices {
  constructor(private readonly mailer: Mailer) {}

  @Cron('* * * * * *')
  @WithLock('invoices', '700ms')
  async sendInvoices(): Promise<void> {
    await this.mailer.sendInvoices();
  }
}
