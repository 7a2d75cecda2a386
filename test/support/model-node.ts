import type { Cancel } from '../../lib/core/ports/clock.js';
import type { LockNode, NodeReply, NodeRequest, NodeState, ReleaseListener } from '../../lib/core/ports/lock-node.js';
import { MemoryChannels } from '../../lib/testing/memory-channels.js';
import { MemoryStore } from '../../lib/testing/memory-store.js';
import type { VirtualClock } from './virtual-clock.js';

interface Trip {
  readonly requests: readonly NodeRequest[];
  readonly onReplies: (replies: readonly NodeReply[]) => void;
  readonly onError: (cause: unknown) => void;
}

/** The memory of `redlock-nestjs/testing` as a lock node on virtual time, with the faults of a real one. */
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

  readonly #store: MemoryStore;
  readonly #channels = new MemoryChannels();
  readonly #listeners: (() => void)[] = [];
  #state: NodeState = { status: 'ready' };
  #stalled = false;
  #stuck: Trip[] = [];
  #open = new Set<Trip>();

  constructor(
    readonly name: string,
    private readonly clock: VirtualClock,
  ) {
    this.#store = new MemoryStore({
      clock,
      tell: (channel) => this.#tell(channel),
      startOfCount: () => this.startOfCount(),
    });
  }

  ensureConnected(): NodeState {
    return this.#state;
  }

  reasonNotToVote({ kind }: NodeRequest): Error | undefined {
    return kind === 'acquire' || kind === 'confirm' ? this.distrust : undefined;
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  execute(...[requests, onReplies, onError]: Parameters<LockNode['execute']>): void {
    this.trips++;
    const trip: Trip = { requests, onReplies, onError };
    this.#open.add(trip);
    this.clock.after(this.delayMs / 2, () => {
      if (this.#stalled) this.#stuck.push(trip);
      else this.#carryOut(trip);
    });
  }

  listen(channel: string, listener: ReleaseListener): Cancel {
    let leave: Cancel = () => undefined;
    const cancel = this.clock.after(this.delayMs, () => {
      leave = this.#channels.add(channel, listener);
      if (!this.#stalled && !this.deaf && this.#state.status === 'ready') listener.onHearing(true);
    });
    return () => {
      cancel();
      leave();
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
    for (const { onError } of lost) onError(cause);
  }

  connecting(): void {
    this.#change({ status: 'connecting' });
  }

  connect(): void {
    this.#change({ status: 'ready' });
  }

  /** Forgets everything, like a restart without data. */
  flush(): void {
    this.#store.flush();
  }

  /** Who has the key, as an outsider sees it. */
  tokenAt(key: string): string | undefined {
    return this.#store.holderOf(key)?.token;
  }

  get keys(): string[] {
    return this.#store.keys;
  }

  ttlOf(key: string): number {
    return this.#store.holderOf(key)?.remainingMs ?? 0;
  }

  /** As a lock for which somebody waits. */
  plant(key: string, token: string, ttlMs: number, owner = 'somebody', fence = 0): void {
    this.#store.plant(key, token, ttlMs, owner, fence, true);
  }

  /** How far a counter has come. */
  counterOf(counter: string): number | undefined {
    return this.#store.counterOf(counter);
  }

  #carryOut(trip: Trip): void {
    if (!this.#open.has(trip)) return;
    const replies = this.#apply(trip.requests);
    this.clock.after(this.delayMs / 2, () => {
      if (this.#open.delete(trip)) trip.onReplies(replies);
    });
  }

  #apply(requests: readonly NodeRequest[]): NodeReply[] {
    return requests.map((request) => {
      this.arrived.push(request);
      if (this.refusal) return { outcome: 'failed', reason: 'refused', cause: this.refusal };
      return this.#store.carryOut(request);
    });
  }

  #tell(channel: string): number {
    if (this.deaf || this.#state.status !== 'ready') return 0;
    return this.#channels.tell(channel, (deliver) => this.clock.after(this.delayMs / 2, deliver));
  }

  #change(state: NodeState): void {
    this.#state = state;
    this.#channels.setHearing(state.status === 'ready' && !this.deaf);
    for (const listener of this.#listeners) listener();
  }
}
