import { randomBytes } from 'node:crypto';
import type { Entropy } from '../core/ports/entropy.js';

const TOKEN_BYTES = 16;

export class SystemEntropy implements Entropy {
  token(): string {
    return randomBytes(TOKEN_BYTES).toString('hex');
  }

  random(): number {
    return Math.random();
  }
}
