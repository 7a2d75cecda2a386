import { LinkedList } from './linked-list.js';
import type { PendingRequest } from './pending-request.js';
import type { NodeRequest } from './ports/lock-node.js';
import type { PossiblyHeld } from './possibly-held.js';
import { MOST_RUNS } from './register.js';
import { youngList } from './young-list.js';

/** More requests than this in one round trip would keep a server from its other clients for too long. */
export const LARGEST_BATCH = 100;

/** The same for the claims in them: a server takes some 10 microseconds for each. */
export const LARGEST_BATCH_CLAIMS = 1000;

/** So many do not wait for the end of the turn where the node has nothing to do: it works on them while this process makes the next. */
export const EARLY_BATCH = 32;

/** What asks for something on behalf of a token that is given back by a release. */
const OF_A_HOLDER: ReadonlySet<NodeRequest['kind']> = new Set(['confirm', 'extend', 'heal']);

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
  /** By the registers of their jobs, see {@link push}, until all has left. */
  readonly #notes = new Map<string, PendingRequest[]>();

  constructor(private readonly possiblyHeld: PossiblyHeld) {}

  get size(): number {
    return this.#first.size + this.#acquires.size;
  }

  /** Drops what the request makes pointless. What is dropped is not settled. */
  supersede({ request: { kind }, trace }: PendingRequest): void {
    if (kind === 'acquire') return;
    let pending = trace?.waiting;
    while (pending !== undefined) {
      const { sibling, request } = pending;
      if (request.kind === 'acquire' || (kind === 'release' && OF_A_HOLDER.has(request.kind))) this.remove(pending);
      pending = sibling;
    }
  }

  /** @param isNote the node is away, and never had the lock of this release: it is only to hear how the run of a job has ended */
  push(pending: PendingRequest, isNote = false): void {
    const { kind, job } = pending.request;
    if (isNote && kind === 'release' && job !== undefined) this.#keepFew(job.key, pending);
    pending.place = (kind === 'acquire' ? this.#acquires : this.#first).push(pending);
    this.possiblyHeld.wait(pending);
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
    for (const pending of releases.toReversed()) {
      pending.place = this.#first.unshift(pending);
      this.possiblyHeld.wait(pending);
    }
  }

  /** What the node has of this token stays there until its ttl is over: nothing gives it back, and nothing more is asked for it. */
  keep(token: string): void {
    const trace = this.possiblyHeld.get(token);
    for (let waits = trace?.waiting; waits !== undefined; waits = trace?.waiting) this.remove(waits);
    if (trace !== undefined) this.possiblyHeld.forget(trace);
  }

  remove(pending: PendingRequest): void {
    if (this.#takeOut(pending)) this.possiblyHeld.stopWaiting(pending);
  }

  #takeOut(pending: PendingRequest): boolean {
    const { place } = pending;
    pending.place = undefined;
    return place?.list?.remove(place) ?? false;
  }

  /** Takes out what leaves with the next round trip, and what is not to leave any more. */
  takeBatch(isToLeave: (pending: PendingRequest, nowMs: number) => boolean, nowMs: number): PendingRequest[] {
    const batch = youngList<PendingRequest>();
    let claims = 0;
    for (let next = this.#next; next !== undefined; next = this.#next) {
      claims += next.request.claims.length;
      const fits = !next.isAlone && batch.length < LARGEST_BATCH && claims <= LARGEST_BATCH_CLAIMS;
      if (batch.length > 0 && !fits) break;
      this.#takeOut(next);
      if (isToLeave(next, nowMs)) batch.push(next);
      this.possiblyHeld.stopWaiting(next);
      if (next.isAlone) break;
    }
    if (this.#notes.size > 0 && this.size === 0) this.#notes.clear();
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
