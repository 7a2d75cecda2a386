import { randomBytes } from 'node:crypto';
import type { Entropy } from '../core/ports/entropy.js';

/** What no other process will choose: 128 random bits. Drawn when this file is loaded, because each draw costs more than a counter. */
const PROCESS = randomBytes(16).toString('base64url');

let tokens = 0;

export class SystemEntropy implements Entropy {
  /**
   * Begins with chance, because contenders compare their tokens: with the part of the process in front, one replica would win
   * every contest. The rest makes it unique.
   */
  token(): string {
    const chance = Math.floor(Math.random() * 2 ** 32).toString(36);
    return `${chance}.${PROCESS}.${(tokens++).toString(36)}`;
  }

  random(): number {
    return Math.random();
  }
}
