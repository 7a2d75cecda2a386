import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';

/** Stands for the work that must not be done twice. */
@Injectable()
export class Mailer {
  async sendInvoices(): Promise<void> {
    await sleep(200);
  }
}
