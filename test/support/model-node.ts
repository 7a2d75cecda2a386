import type { Cancel } from '../../lib/core/ports/clock.js';
import type {
  Claim,
  LockNode,
  NodeReply,
  NodeRequest,
  NodeState,
  ReleaseListener,
} from '../../lib/core/ports/lock-node.js';
import type { VirtualClock } from './virtual-clock.js';

interface Entry {
  readonly token: string;
  readonly owner: string;
  readonly fence: number;
  readonly expiresAtMs: number;
}

interface Trip {
  readonly requests: readonly NodeRequest[];
  readonly resolve: (replies: readonly NodeReply[]) => void;
  readonly reject: (cause: Error) => void;
}

/** A lock node in memory, on virtual time, with the faults of a real one. The contract suite holds it to the real ones. */
export class ModelNode implements LockNode {
  /** How long a round trip takes. */
  delayMs = 0;
  /** How many round trips there were, and every request that arrived. */
  trips = 0;
  readonly arrived: NodeRequest[] = [];

  /** Set: it answers everything with this error. */
  refusal: Error | undefined;

  /** Set: it does not vote. */
  distrust: Error | undefined;

  /** Set: it tells nobody of a release. */
  deaf = false;

  /** Where a counter begins that is not there: a server takes its own time of day. */
  startOfCount: () => number = () => 0;

  readonly #entries = new Map<string, Entry>();
  readonly #counters = new Map<string, number>();
  readonly #listeners: (() => void)[] = [];
  readonly #channels = new Map<string, Set<ReleaseListener>>();
  #state: NodeState = { status: 'ready' };
  #stalled = false;
  #stuck: Trip[] = [];
  #open = new Set<Trip>();

  constructor(
    readonly name: string,
    private readonly clock: VirtualClock,
  ) {}

  reach(): NodeState {
    return this.#state;
  }

  objection({ kind }: NodeRequest): Error | undefined {
    return kind === 'acquire' || kind === 'confirm' ? this.distrust : undefined;
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  execute(requests: readonly NodeRequest[]): Promise<readonly NodeReply[]> {
    this.trips++;
    return new Promise((resolve, reject) => {
      const trip: Trip = { requests, resolve, reject };
      this.#open.add(trip);
      this.clock.after(this.delayMs / 2, () => {
        if (this.#stalled) this.#stuck.push(trip);
        else this.#carryOut(trip);
      });
    });
  }

  listen(channel: string, listener: ReleaseListener): Cancel {
    const listeners = this.#channels.get(channel) ?? new Set();
    this.#channels.set(channel, listeners);
    const cancel = this.clock.after(this.delayMs, () => {
      listeners.add(listener);
      if (!this.#stalled && !this.deaf && this.#state.status === 'ready') listener.onHearing(true);
    });
    return () => {
      cancel();
      listeners.delete(listener);
    };
  }

  /** Accepts everything and answers nothing, until it goes on: then it carries out what has come in the meantime. */
  stall(): void {
    this.#stalled = true;
  }

  resume(): void {
    this.#stalled = false;
    for (const trip of this.#stuck.splice(0)) this.#carryOut(trip);
  }

  /** The connection breaks. What was under way may or may not have been carried out. */
  disconnect(cause = new Error('connect ECONNREFUSED'), carriedOut = true): void {
    const lost = [...this.#open];
    this.#open.clear();
    if (carriedOut) for (const { requests } of this.#stuck.splice(0)) this.#apply(requests);
    this.#stuck = [];
    this.#change({ status: 'down', cause });
    for (const { reject } of lost) reject(cause);
  }

  connecting(): void {
    this.#change({ status: 'connecting' });
  }

  connect(): void {
    this.#change({ status: 'ready' });
  }

  /** Forgets everything, like a restart without data. */
  flush(): void {
    this.#entries.clear();
    this.#counters.clear();
  }

  /** Who has the key, as an outsider sees it. */
  tokenAt(key: string): string | undefined {
    return this.#live(key)?.token;
  }

  get keys(): string[] {
    return [...this.#entries.keys()].filter((key) => this.#live(key) !== undefined).sort();
  }

  ttlOf(key: string): number {
    return (this.#live(key)?.expiresAtMs ?? this.clock.nowMs()) - this.clock.nowMs();
  }

  plant(key: string, token: string, ttlMs: number, owner = 'somebody', fence = 0): void {
    this.#entries.set(key, { token, owner, fence, expiresAtMs: this.clock.nowMs() + ttlMs });
  }

  /** How far a counter has come. */
  counterOf(counter: string): number | undefined {
    return this.#counters.get(counter);
  }

  #carryOut(trip: Trip): void {
    if (!this.#open.has(trip)) return;
    const replies = this.#apply(trip.requests);
    this.clock.after(this.delayMs / 2, () => {
      if (this.#open.delete(trip)) trip.resolve(replies);
    });
  }

  #apply(requests: readonly NodeRequest[]): NodeReply[] {
    return requests.map((request) => {
      this.arrived.push(request);
      if (this.refusal) return { outcome: 'failed', reason: 'refused', cause: this.refusal };
      return this.#applyOne(request);
    });
  }

  #applyOne(request: NodeRequest): NodeReply {
    const { kind, token, owner, claims, fence = 0 } = request;
    const found = claims.map(({ key }) => this.#live(key));
    const mine = found.map((entry) => (entry?.token === token ? entry : undefined));
    if (kind === 'acquire' || kind === 'extend' || kind === 'heal' || kind === 'inspect') {
      const index = found.findIndex((entry) => entry !== undefined && entry.token !== token);
      const [entry, claim] = [found[index], claims[index]];
      if (entry && claim) {
        const { expiresAtMs, ...rest } = entry;
        const holder = {
          key: claim.key,
          token: rest.token,
          owner: rest.owner,
          fence: rest.fence,
          remainingMs: expiresAtMs - this.clock.nowMs(),
        };
        return { outcome: kind === 'acquire' ? 'denied' : kind === 'inspect' ? 'seen' : 'taken', holder };
      }
    }
    switch (kind) {
      case 'acquire': {
        const again = !mine.includes(undefined);
        const number = again ? Math.max(...mine.map((entry) => entry?.fence ?? 0)) : this.#countOn(claims);
        for (const { key, ttlMs } of claims) this.plant(key, token, ttlMs, owner, number);
        return { outcome: 'granted', fence: number };
      }
      case 'confirm':
        if (mine.some((entry) => entry?.fence !== request.grantedFence)) return { outcome: 'absent' };
        for (const { counter } of claims) this.#catchUp(counter, fence);
        return { outcome: 'confirmed' };
      case 'extend':
      case 'heal':
        claims.forEach(({ key, ttlMs, counter }, index) => {
          if (kind === 'extend' && mine[index] === undefined) return;
          this.plant(key, token, ttlMs, owner, mine[index]?.fence ?? fence);
          if (mine[index] === undefined) this.#catchUp(counter, fence);
        });
        this.#tell(claims.filter((_, index) => mine[index]));
        return { outcome: mine.includes(undefined) ? 'absent' : 'renewed' };
      case 'release':
        claims.forEach(({ key, ttlMs }, index) => {
          if (mine[index] && ttlMs > 0) this.plant(key, token, ttlMs, owner, mine[index].fence);
          else if (mine[index]) this.#entries.delete(key);
        });
        return {
          outcome: 'released',
          heard: this.#tell(claims.filter((_, index) => mine[index])),
        };
      case 'inspect':
        return { outcome: 'absent' };
      case 'tell':
        this.#tell(claims);
        return { outcome: 'told' };
      case 'remove':
        for (const [index, { key }] of claims.entries()) if (mine[index]) this.#entries.delete(key);
        if (mine.every((entry) => entry === undefined)) return { outcome: 'absent' };
        return { outcome: 'released', heard: this.#tell(claims.filter((_, index) => mine[index])) };
      default:
        return kind satisfies never;
    }
  }

  #tell(claims: readonly Claim[]): number {
    let heard = 0;
    for (const { channel } of claims) {
      const listeners = channel === undefined ? undefined : this.#channels.get(channel);
      if (this.deaf || listeners === undefined || this.#state.status !== 'ready') continue;
      const told = listeners.size;
      heard = Math.max(heard, told);
      for (const listener of listeners) {
        this.clock.after(this.delayMs / 2, () => {
          if (listeners.has(listener)) listener.onReleased(told);
        });
      }
    }
    return heard;
  }

  #countOn(claims: readonly Claim[]): number {
    const counters = claims.flatMap(({ counter }) => counter ?? []);
    if (counters.length === 0) return 0;
    const number = Math.max(...counters.map((counter) => this.#counters.get(counter) ?? this.startOfCount())) + 1;
    for (const counter of counters) this.#counters.set(counter, number);
    return number;
  }

  #catchUp(counter: string | undefined, number: number): void {
    if (counter !== undefined && (this.#counters.get(counter) ?? 0) < number) this.#counters.set(counter, number);
  }

  #live(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    return entry && entry.expiresAtMs > this.clock.nowMs() ? entry : undefined;
  }

  #change(state: NodeState): void {
    this.#state = state;
    const hears = state.status === 'ready' && !this.deaf;
    for (const listeners of this.#channels.values()) for (const each of listeners) each.onHearing(hears);
    for (const listener of this.#listeners) listener();
  }
}
