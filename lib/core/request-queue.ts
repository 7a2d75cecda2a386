import { LinkedList, type Place } from './linked-list.js';
import type { NodeReply, NodeRequest } from './ports/lock-node.js';

/** More requests than this in one round trip would keep a server from its other clients for too long. */
export const LARGEST_BATCH = 100;

/** The same for the claims in them: a server takes some 10 microseconds for each. */
export const LARGEST_BATCH_CLAIMS = 1000;

/** A request on its way. Settled once; what comes later is for the books only. */
export interface Parcel {
  readonly request: NodeRequest;
  /** With the reply, and the position of the node among those that are asked. */
  settle: ((reply: NodeReply, position: number) => void) | undefined;
  readonly position?: number;
  /** Later it does not leave any more, on the clock of this process; a release does. Default: never. */
  readonly dueAtMs?: number;
  /** It was in a trip that failed although the node is ready. It travels alone, so that others do not fail with it. */
  isAlone?: boolean | undefined;
  place?: Place<Parcel> | undefined;
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
  readonly #first = new LinkedList<Parcel>();
  readonly #acquires = new LinkedList<Parcel>();
  /** What waits for each token, and may be dropped. */
  readonly #byToken = new Map<string, Set<Parcel>>();

  get size(): number {
    return this.#first.size + this.#acquires.size;
  }

  /** Drops what the request makes pointless. What is dropped is not settled. */
  supersede({ kind, token }: NodeRequest): void {
    if (kind === 'acquire') return;
    for (const parcel of this.#byToken.get(token) ?? []) {
      if (kind === 'release' || parcel.request.kind === 'acquire') this.remove(parcel);
    }
  }

  push(parcel: Parcel): void {
    const { kind, token } = parcel.request;
    parcel.place = (kind === 'acquire' ? this.#acquires : this.#first).push(parcel);
    if (kind === 'release' || kind === 'inspect' || kind === 'tell') return;
    const ofToken = this.#byToken.get(token);
    if (ofToken === undefined) this.#byToken.set(token, new Set([parcel]));
    else ofToken.add(parcel);
  }

  /** Puts releases that have been under way back to the front, in their order. */
  putBack(releases: readonly Parcel[]): void {
    for (const parcel of releases.toReversed()) parcel.place = this.#first.unshift(parcel);
  }

  remove(parcel: Parcel): void {
    const { place, request } = parcel;
    if (place === undefined) return;
    place.list?.remove(place);
    parcel.place = undefined;
    const ofToken = this.#byToken.get(request.token);
    if (ofToken?.delete(parcel) && ofToken.size === 0) this.#byToken.delete(request.token);
  }

  /** Takes out what leaves with the next round trip. */
  takeBatch(): Parcel[] {
    const batch: Parcel[] = [];
    let claims = 0;
    for (let next = this.#next; next !== undefined; next = this.#next) {
      claims += next.request.claims.length;
      const fits = !next.isAlone && batch.length < LARGEST_BATCH && claims <= LARGEST_BATCH_CLAIMS;
      if (batch.length > 0 && !fits) break;
      this.remove(next);
      batch.push(next);
      if (next.isAlone) break;
    }
    return batch;
  }

  /** Takes out everything but releases. */
  takeAllButReleases(): Parcel[] {
    const taken = [...this.#first, ...this.#acquires].filter(({ request }) => request.kind !== 'release');
    for (const parcel of taken) this.remove(parcel);
    return taken;
  }

  get #next(): Parcel | undefined {
    return (this.#first.first ?? this.#acquires.first)?.value;
  }
}
