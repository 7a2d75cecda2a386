import type { Clock } from '../core/ports/clock.js';
import { StringMap } from '../core/string-map.js';
import type { Claim, Holder, NodeReply, NodeRequest } from '../core/ports/lock-node.js';
import { Entry, toHolder } from './memory-entry.js';
import { MemoryCounters } from './memory-counters.js';
import { MemoryRegisters } from './memory-registers.js';

/** What a store does not know by itself. */
export interface StorePorts {
  readonly clock: Pick<Clock, 'nowMs' | 'wallMs'>;
  /** Tells the listeners of the channel, and returns how many they are. */
  tell(channel: string): number;
  /** The time of day in microseconds, rounded down: where a counter begins at least that is not there. */
  startOfCount(): number;
}

/**
 * What one server keeps, in this process: which holder has which key until when, and how many grants it has seen. It carries out
 * the requests of a lock node as the script on a Redis does (`redis/scripts/lock.script.ts`); one contract holds for both.
 */
export class MemoryStore {
  readonly #entries = new StringMap<Entry>();
  readonly #counters: MemoryCounters;
  readonly #registers: MemoryRegisters;

  constructor(private readonly ports: StorePorts) {
    this.#counters = new MemoryCounters(ports);
    this.#registers = new MemoryRegisters(ports);
  }

  carryOut(request: NodeRequest): NodeReply {
    const { kind, token, claims } = request;
    switch (kind) {
      case 'acquire':
        return this.#acquire(request);
      case 'confirm':
        return this.#confirm(request);
      case 'extend':
      case 'heal':
        return this.#extend(request);
      case 'release':
        return this.#release(request);
      case 'inspect': {
        const holder = this.#otherHolder(claims, token);
        return holder ? { outcome: 'seen', holder } : { outcome: 'absent' };
      }
      case 'remove':
        return this.#remove(request);
      case 'tell':
        for (const { channel } of claims) if (channel !== undefined) this.ports.tell(channel);
        return { outcome: 'told' };
      case 'steer':
        return this.#registers.steer(request);
      case 'read':
        return this.#registers.read(request, this.holderOf(claims[0]?.key ?? ''));
      default:
        return kind satisfies never;
    }
  }

  #acquire(request: NodeRequest): NodeReply {
    const { token, owner, claims, fenceStart = 0, waits, waited = false, job } = request;
    const denial = job && this.#registers.denialOf(request, this.holderOf(claims[0]?.key ?? ''));
    if (denial !== undefined) return denial;
    const nowMs = this.ports.clock.nowMs();
    const held = claims.map(({ key }) => this.#live(key, nowMs));
    // The claim of a tick that is run again is taken from its first run.
    const others = job?.start.trigger === 'again' ? Math.max(1, claims.length - 1) : claims.length;
    const taken = held.findIndex((entry, index) => entry !== undefined && entry.token !== token && index < others);
    const holder = taken < 0 ? undefined : held[taken];
    if (holder !== undefined) {
      holder.waits ||= waits === true;
      return { outcome: 'denied', holder: toHolder(claims[taken]?.key ?? '', holder, nowMs) };
    }
    const mine = held.map((entry) => (entry?.token === token ? entry : undefined));
    const number = mine.includes(undefined)
      ? this.#counters.countOn(claims, fenceStart, nowMs)
      : Math.max(...mine.map((entry) => entry?.fence ?? 0));
    claims.forEach(({ key, ttlMs }, index) => {
      const marked = waited || (mine[index]?.waits ?? false);
      this.#entries.set(key, new Entry(token, owner, number, nowMs + ttlMs, marked));
    });
    return this.#registers.onGranted(request, number);
  }

  #confirm({ token, claims, fence = 0, grantedFence }: NodeRequest): NodeReply {
    for (const { key } of claims) if (this.#mine(key, token)?.fence !== grantedFence) return { outcome: 'absent' };
    for (const claim of claims) this.#counters.catchUp(claim, fence);
    return { outcome: 'confirmed' };
  }

  #extend({ kind, token, owner, claims, fence = 0 }: NodeRequest): NodeReply {
    const holder = this.#otherHolder(claims, token);
    if (holder) return { outcome: 'taken', holder };
    let isWhole = true;
    for (const claim of claims) {
      const { key, ttlMs, channel } = claim;
      const entry = this.#mine(key, token);
      if (entry === undefined) {
        isWhole = false;
        if (kind === 'extend') continue;
        this.plant(key, token, ttlMs, owner, fence, true);
        this.#counters.catchUp(claim, fence);
      } else {
        this.plant(key, token, ttlMs, owner, entry.fence, entry.waits);
        this.#counters.keep(claim);
        if (entry.waits && channel !== undefined) this.ports.tell(channel);
      }
    }
    return { outcome: isWhole ? 'renewed' : 'absent' };
  }

  #release(request: NodeRequest): NodeReply {
    const { token, owner, claims } = request;
    this.#registers.onReleased(request);
    let gone = false;
    let heard = 0;
    for (const { key, ttlMs, channel } of claims) {
      const entry = this.#mine(key, token);
      gone ||= entry === undefined;
      if (entry === undefined) continue;
      if (ttlMs > 0) this.plant(key, token, ttlMs, owner, entry.fence, entry.waits);
      else this.#entries.delete(key);
      if (entry.waits && channel !== undefined) heard = Math.max(heard, this.ports.tell(channel));
    }
    return { outcome: 'released', heard, gone };
  }

  #remove({ token, claims }: NodeRequest): NodeReply {
    let isHere = false;
    let heard = 0;
    for (const { key, channel } of claims) {
      const entry = this.#mine(key, token);
      if (entry === undefined) continue;
      isHere = true;
      this.#entries.delete(key);
      if (entry.waits && channel !== undefined) heard = Math.max(heard, this.ports.tell(channel));
    }
    return isHere ? { outcome: 'released', heard } : { outcome: 'absent' };
  }

  /** The keys that are locked. */
  get keys(): string[] {
    const live = this.#entries.keys().filter((key) => this.#live(key) !== undefined);
    return live.sort();
  }

  /** The holder of the key, and for how much longer it has it. */
  holderOf(key: string): Holder | undefined {
    const entry = this.#live(key);
    if (entry === undefined) return undefined;
    return toHolder(key, entry, this.ports.clock.nowMs());
  }

  plant(key: string, token: string, ttlMs: number, owner: string, fence: number, waits = false): void {
    this.#entries.set(key, new Entry(token, owner, fence, this.ports.clock.nowMs() + ttlMs, waits));
  }

  counterOf(counter: string): number | undefined {
    return this.#counters.of(counter);
  }

  /** Forgets the locks, and the registers of jobs. */
  clear(): void {
    this.#entries.clear();
    this.#registers.clear();
  }

  /** Forgets how many grants there were, too, as a server does that has lost its data. */
  flush(): void {
    this.clear();
    this.#counters.clear();
  }

  /** The holder of the first of the claims that is not the token's. */
  #otherHolder(claims: readonly Claim[], token: string): Holder | undefined {
    const other = claims.find(({ key }) => (this.#live(key)?.token ?? token) !== token);
    return other && this.holderOf(other.key);
  }

  #mine(key: string, token: string): Entry | undefined {
    const entry = this.#live(key);
    return entry?.token === token ? entry : undefined;
  }

  #live(key: string, nowMs = this.ports.clock.nowMs()): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.expiresAtMs > nowMs) return entry;
    this.#entries.delete(key);
    return undefined;
  }
}
