import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { WithLock } from 'redlock-nestjs';
import { Replica } from './replica.js';

export interface Receipt {
  cart: string;
  paidBy: string;
}

@Injectable()
export class Checkout {
  constructor(private readonly replica: Replica) {}

  /** A second click on "Pay" does not wait: with `wait: 0` it is answered with 409 at once. */
  @WithLock((cart: string) => `cart:${cart}`, '10s', { wait: 0 })
  async pay(cart: string): Promise<Receipt> {
    await sleep(1_000); // The payment.
    return { cart, paidBy: this.replica.name };
  }
}
