import { Injectable } from '@nestjs/common';
import { Cron } from '@nestjs/schedule';
import { WithLock } from 'redlock-nestjs';
import { Replica } from './replica.js';

@Injectable()
export class Invoices {
  constructor(private readonly replica: Replica) {}

  // The ttl is below the period: when a replica dies in the middle of a run, the next tick still runs.
  @Cron('* * * * * *')
  @WithLock('invoices', '900ms')
  async sendInvoices(): Promise<void> {
    console.log(`${new Date().toTimeString().slice(0, 8)}  ${this.replica.name} sends the invoices`);
  }
}
