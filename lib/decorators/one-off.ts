import { ONE_OFF } from '../redlock.constants.js';

/** One process may load this package twice, and both copies must know it. */
const shared = globalThis as { [ONE_OFF]?: boolean };

/** From now on this process fires no tick, and makes up for none: it was started to run one job, by the command. */
export function beOneOff(): void {
  shared[ONE_OFF] = true;
}

export function isOneOff(): boolean {
  return shared[ONE_OFF] === true;
}
