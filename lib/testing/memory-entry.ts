import type { Holder } from '../core/ports/lock-node.js';

/** What a server in memory has under a key. See core/young-list.ts for why it is a class. */
export class Entry {
  constructor(
    readonly token: string,
    readonly owner: string,
    readonly fence: number,
    readonly expiresAtMs: number,
    /** Whether a waiter that was denied listens for its release, or may do so. */
    public waits: boolean,
  ) {}
}

/** The holder as others see it. */
export function toHolder(key: string, { token, owner, fence, expiresAtMs }: Entry, nowMs: number): Holder {
  return { key, token, owner, fence, remainingMs: expiresAtMs - nowMs };
}
