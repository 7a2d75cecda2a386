import { LinkedList, type Place } from './linked-list.js';
import type { NodeReply, NodeRequest } from './ports/lock-node.js';
import { MOST_RUNS } from './register.js';
import { StringMap } from './string-map.js';
import { youngList } from './young-list.js';

/** More requests than this in one round trip would keep a server from its other clients for too long. */
export const LARGEST_BATCH = 100;

/** The same for the claims in them: a server takes some 10 microseconds for each. */
export const LARGEST_BATCH_CLAIMS = 1000;

/** So many do not wait for the end of the turn where the node has nothing to do: it works on them while this process makes the next. */
export const EARLY_BATCH = 32;

type Settle = (reply: NodeReply, position: number) => void;

/** A request on its way. Settled once; what comes later is for the books only. */
export class PendingRequest {
  /** It was in a trip that failed although the node is ready. It travels alone, so that others do not fail with it. */
  isAlone = false;
  place: Place<PendingRequest> | undefined;
  /** Another one of the same token that waits. */
  sibling: PendingRequest | undefined;

  constructor(
    readonly request: NodeRequest,
    public settle?: Settle,
    /** That of the node among those that are asked. */
    readonly position = 0,
    /** Later it does not leave any more, on the clock of this process; a release does. */
    readonly dueAtMs = Infinity,
  ) {}

  /** Settles it, unless that has been done or nothing waits for it any more. */
  deliver(reply: NodeReply): void {
    const { settle } = this;
    this.settle = undefined;
    settle?.(reply, this.position);
  }

  /** The node never had this lock, so it does not count as gone there. */
  ignoreGone(): void {
    const { settle } = this;
    if (settle === undefined) return;
    this.settle = (reply, position) => {
      settle(reply.outcome === 'released' ? { outcome: 'released' } : reply, position);
    };
  }

  isOver(nowMs: number): boolean {
    return nowMs > this.dueAtMs && this.request.kind !== 'release';
  }

  /** The request as it leaves now: a claim that stays until a certain instant stays the shorter, the later the request leaves. */
  requestAt(nowMs: number): NodeRequest {
    const { keepUntilMs, claims } = this.request;
    if (keepUntilMs === undefined) return this.request;
    const ttlMs = Math.max(0, Math.ceil(keepUntilMs - nowMs));
    return { ...this.request, claims: claims.map((claim) => ({ ...claim, ttlMs })) };
  }
}

/**
 * The requests that wait for a round trip to one node. What concerns locks that are held already (extensions, releases) leaves
 * before what asks for new ones: otherwise a rush of new requests costs the process the locks that it has.
 *
 * - Requests for one token leave in the order in which they came, but for its acquires: an acquire that has not left when anything
 *   else is asked for the same token is dropped. The lock has been won or given up without this node, and an acquire that arrives
 *   after an extension would shorten the ttl again.
 * - A release also drops everything else of its token that has not left.
 */
export class RequestQueue {
  readonly #first = new LinkedList<PendingRequest>();
  readonly #acquires = new LinkedList<PendingRequest>();
  /** What waits for each token, and may be dropped. */
  readonly #byToken = new StringMap<PendingRequest>();
  /** By the registers of their jobs, see {@link push}, until all has left. */
  readonly #notes = new Map<string, PendingRequest[]>();

  get size(): number {
    return this.#first.size + this.#acquires.size;
  }

  /** Drops what the request makes pointless. What is dropped is not settled. */
  supersede({ kind, token }: NodeRequest): void {
    if (kind === 'acquire') return;
    for (
      let pending = this.#byToken.get(token), next: PendingRequest | undefined;
      pending !== undefined;
      pending = next
    ) {
      next = pending.sibling;
      if (kind === 'release' || pending.request.kind === 'acquire') this.remove(pending);
    }
  }

  /** @param isNote the node is away, and never had the lock of this release: it is only to hear how the run of a job has ended */
  push(pending: PendingRequest, isNote = false): void {
    const { kind, token, job } = pending.request;
    if (isNote && kind === 'release' && job !== undefined) this.#keepFew(job.key, pending);
    pending.place = (kind === 'acquire' ? this.#acquires : this.#first).push(pending);
    if (kind === 'release' || kind === 'inspect' || kind === 'tell' || kind === 'steer' || kind === 'read') return;
    pending.sibling = this.#byToken.get(token);
    this.#byToken.set(token, pending);
  }

  /** Of each job as many as its register has room for: a node may be away for days. */
  #keepFew(register: string, pending: PendingRequest): void {
    const notes = this.#notes.get(register) ?? [];
    this.#notes.set(register, notes);
    notes.push(pending);
    const oldest = notes.length > MOST_RUNS ? notes.shift() : undefined;
    if (oldest !== undefined) this.remove(oldest);
  }

  /** Puts releases that have been under way back to the front, in their order. */
  putBack(releases: readonly PendingRequest[]): void {
    for (const pending of releases.toReversed()) pending.place = this.#first.unshift(pending);
  }

  remove(pending: PendingRequest): void {
    const { place, request } = pending;
    if (place === undefined) return;
    place.list?.remove(place);
    pending.place = undefined;
    this.#forget(pending, request.token);
  }

  #forget(pending: PendingRequest, token: string): void {
    const { sibling } = pending;
    pending.sibling = undefined;
    let before = this.#byToken.get(token);
    if (before === pending) {
      if (sibling === undefined) this.#byToken.delete(token);
      else this.#byToken.set(token, sibling);
      return;
    }
    while (before !== undefined && before.sibling !== pending) before = before.sibling;
    if (before !== undefined) before.sibling = sibling;
  }

  /** Takes out what leaves with the next round trip, and what is not to leave any more. */
  takeBatch(isToLeave: (pending: PendingRequest, nowMs: number) => boolean, nowMs: number): PendingRequest[] {
    const batch = youngList<PendingRequest>();
    let claims = 0;
    for (let next = this.#next; next !== undefined; next = this.#next) {
      claims += next.request.claims.length;
      const fits = !next.isAlone && batch.length < LARGEST_BATCH && claims <= LARGEST_BATCH_CLAIMS;
      if (batch.length > 0 && !fits) break;
      this.remove(next);
      if (isToLeave(next, nowMs)) batch.push(next);
      if (next.isAlone) break;
    }
    if (this.size === 0) this.#notes.clear();
    return batch;
  }

  /** Takes out everything but releases. */
  takeAllButReleases(): PendingRequest[] {
    const taken = [...this.#first, ...this.#acquires].filter(({ request }) => request.kind !== 'release');
    for (const pending of taken) this.remove(pending);
    return taken;
  }

  get #next(): PendingRequest | undefined {
    return (this.#first.first ?? this.#acquires.first)?.value;
  }
}
