import { Injectable } from '@nestjs/common';
import { Cron } from '@nestjs/schedule';
import { RedlockService, WithLock } from 'redlock-nestjs';

@Injectable()
export class Invoices {
  constructor(private readonly redlock: RedlockService) {}

  @Cron('*/5 * * * * *')
  @WithLock('invoices', '4s')
  async sendAll(): Promise<void> {
    console.log('the invoices are sent');
  }

  /** False while another replica sends this one. */
  async send(id: string): Promise<boolean> {
    const sent = await this.redlock.withLock(`invoice:${id}`, '10s', async () => true, {
      wait: 0,
      onContended: 'skip',
    });
    return sent ?? false;
  }
}
