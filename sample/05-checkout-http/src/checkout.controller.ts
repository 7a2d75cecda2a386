import { Controller, Param, Post } from '@nestjs/common';
import { Checkout, type Receipt } from './checkout.js';

@Controller('checkout')
export class CheckoutController {
  constructor(private readonly checkout: Checkout) {}

  @Post(':cart')
  async pay(@Param('cart') cart: string): Promise<Receipt> {
    return await this.checkout.pay(cart);
  }
}
