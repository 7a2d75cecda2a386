import { counterLifeMs } from '../core/fencing-number.js';
import type { Clock } from '../core/ports/clock.js';
import type { Claim, Holder, NodeReply, NodeRequest } from '../core/ports/lock-node.js';

interface Entry {
  readonly token: string;
  readonly owner: string;
  readonly fence: number;
  readonly expiresAtMs: number;
  /** Whether somebody who was denied listens for its release, or may do so. */
  readonly waits: boolean;
}

interface Counter {
  readonly number: number;
  readonly expiresAtMs: number;
}

/** What a store does not know by itself. */
export interface StorePorts {
  readonly clock: Pick<Clock, 'nowMs'>;
  /** Tells those who listen on the channel, and says how many they are. */
  tell(channel: string): number;
  /** The time of day in microseconds, rounded down: where a counter begins at least that is not there. */
  startOfCount(): number;
}

/**
 * What one server keeps, in this process: who has which key until when, and how many grants it has seen. It carries out
 * the requests of a lock node as the script on a Redis does (`redis/scripts/lock.script.ts`); one contract holds for both.
 */
export class MemoryStore {
  readonly #entries = new Map<string, Entry>();
  readonly #counters = new Map<string, Counter>();

  constructor(private readonly ports: StorePorts) {}

  carryOut(request: NodeRequest): NodeReply {
    const {
      kind,
      token,
      owner,
      claims,
      fence = 0,
      grantedFence,
      fenceStart = 0,
      waits = false,
      waited = false,
    } = request;
    const found = claims.map(({ key }) => this.#live(key));
    const mine = found.map((entry) => (entry?.token === token ? entry : undefined));
    const isMine = (_: Claim, index: number): boolean => mine[index] !== undefined;
    const marked = claims.filter((_, index) => mine[index]?.waits);
    switch (kind) {
      case 'acquire': {
        const holder = this.#strangerAt(claims, token);
        if (holder && waits) this.#markWaiting(holder.key);
        if (holder) return { outcome: 'denied', holder };
        const again = claims.every(isMine);
        const number = again ? Math.max(...mine.map((entry) => entry?.fence ?? 0)) : this.#countOn(claims, fenceStart);
        claims.forEach(({ key, ttlMs }, index) => {
          this.plant(key, token, ttlMs, owner, number, waited || mine[index]?.waits);
        });
        return { outcome: 'granted', fence: number };
      }
      case 'confirm':
        if (mine.some((entry) => entry?.fence !== grantedFence)) return { outcome: 'absent' };
        for (const claim of claims) this.#catchUp(claim, fence);
        return { outcome: 'confirmed' };
      case 'extend':
      case 'heal': {
        const holder = this.#strangerAt(claims, token);
        if (holder) return { outcome: 'taken', holder };
        claims.forEach((claim, index) => {
          if (kind === 'extend' && mine[index] === undefined) return;
          const { fence: number = fence, waits: isMarked = true } = mine[index] ?? {};
          this.plant(claim.key, token, claim.ttlMs, owner, number, isMarked);
          if (mine[index] === undefined) this.#catchUp(claim, fence);
          else if (claim.counter !== undefined) this.#count(claim, this.counterOf(claim.counter));
        });
        this.#tell(marked);
        return { outcome: claims.every(isMine) ? 'renewed' : 'absent' };
      }
      case 'release':
        claims.forEach(({ key, ttlMs }, index) => {
          if (mine[index] && ttlMs > 0) this.plant(key, token, ttlMs, owner, mine[index].fence, mine[index].waits);
          else if (mine[index]) this.#entries.delete(key);
        });
        return { outcome: 'released', heard: this.#tell(marked), gone: !claims.every(isMine) };
      case 'inspect': {
        const holder = this.#strangerAt(claims, token);
        return holder ? { outcome: 'seen', holder } : { outcome: 'absent' };
      }
      case 'remove':
        if (!claims.some(isMine)) return { outcome: 'absent' };
        for (const { key } of claims.filter(isMine)) this.#entries.delete(key);
        return { outcome: 'released', heard: this.#tell(marked) };
      case 'tell':
        this.#tell(claims);
        return { outcome: 'told' };
      default:
        return kind satisfies never;
    }
  }

  /** The keys that somebody has. */
  get keys(): string[] {
    return [...this.#entries.keys()].filter((key) => this.#live(key) !== undefined).sort();
  }

  /** Who has the key, and for how much longer. */
  holderOf(key: string): Holder | undefined {
    const entry = this.#live(key);
    if (entry === undefined) return undefined;
    const { expiresAtMs, token, owner, fence } = entry;
    return { key, token, owner, fence, remainingMs: expiresAtMs - this.ports.clock.nowMs() };
  }

  plant(key: string, token: string, ttlMs: number, owner: string, fence: number, waits = false): void {
    this.#entries.set(key, { token, owner, fence, expiresAtMs: this.ports.clock.nowMs() + ttlMs, waits });
  }

  /** How far a counter has come. */
  counterOf(counter: string): number | undefined {
    const found = this.#counters.get(counter);
    if (found === undefined || found.expiresAtMs > this.ports.clock.nowMs()) return found?.number;
    this.#counters.delete(counter);
    return undefined;
  }

  /** Forgets who has what. */
  clear(): void {
    this.#entries.clear();
  }

  /** Forgets how many grants there were, too, as a server does that has lost its data. */
  flush(): void {
    this.clear();
    this.#counters.clear();
  }

  /** Who has the first of the claims that is not the token's. */
  #strangerAt(claims: readonly Claim[], token: string): Holder | undefined {
    return claims.map(({ key }) => this.holderOf(key)).find((holder) => holder && holder.token !== token);
  }

  #markWaiting(key: string): void {
    const entry = this.#entries.get(key);
    if (entry !== undefined) this.#entries.set(key, { ...entry, waits: true });
  }

  #tell(claims: readonly Claim[]): number {
    return Math.max(0, ...claims.map(({ channel }) => (channel === undefined ? 0 : this.ports.tell(channel))));
  }

  #countOn(claims: readonly Claim[], leastStart: number): number {
    const counters = claims.flatMap(({ counter }) => counter ?? []);
    if (counters.length === 0) return 0;
    const start = Math.max(leastStart, this.ports.startOfCount());
    const number = Math.max(...counters.map((each) => this.counterOf(each) ?? start)) + 1;
    for (const claim of claims) this.#count(claim, number);
    return number;
  }

  #catchUp(claim: Claim, number: number): void {
    const { counter } = claim;
    if (counter !== undefined && (this.counterOf(counter) ?? 0) < number) this.#count(claim, number);
  }

  /** Without a number there is nothing to remember. */
  #count(claim: Claim, number: number | undefined): void {
    if (claim.counter === undefined || number === undefined) return;
    const expiresAtMs = this.ports.clock.nowMs() + counterLifeMs(claim);
    this.#counters.set(claim.counter, { number, expiresAtMs });
  }

  #live(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.expiresAtMs > this.ports.clock.nowMs()) return entry;
    this.#entries.delete(key);
    return undefined;
  }
}
