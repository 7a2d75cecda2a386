import type { Cancel, Clock } from './ports/clock.js';
import type { Failure, LockNode, NodeReply, NodeRequest, ReleaseListener } from './ports/lock-node.js';

/** More requests than this in one round trip would keep a server from its other clients for too long. */
const LARGEST_BATCH = 100;

/** A server that refuses a release (it is busy, or loading its data) is asked again after this time. */
const RELEASE_AGAIN_MS = 1000;

/** A request on its way. Settled once; what comes later is for the books only. */
export interface Parcel {
  readonly request: NodeRequest;
  settle: ((reply: NodeReply) => void) | undefined;
}

/**
 * Carries requests to one node and sees to it that nothing is left behind there (P11):
 *
 * - What is asked within one turn of the event loop travels in one round trip. No more than `maxConcurrency` of those
 *   are under way; the rest waits here.
 * - An acquire or an extension leaves at most once, and never after its time is up.
 * - A release of what may have arrived is delivered, however long the node is away: it is the only undo there is. It
 *   follows the acquire on the same path and so cannot overtake it.
 */
export class Courier {
  #queue: Parcel[] = [];
  #inFlight = 0;
  #flushing = false;

  /**
   * For each token that the node may carry: how many requests for it are unanswered, whether one has, or may have, taken,
   * and when the node has forgotten it by itself.
   */
  readonly #traces = new Map<string, { unanswered: number; planted: boolean; goneAtMs: number }>();
  readonly #onIdle: (() => void)[] = [];

  constructor(
    private readonly node: LockNode,
    private readonly clock: Clock,
    private readonly maxConcurrency: number,
  ) {
    node.onChange(() => {
      this.#onChange();
    });
  }

  get name(): string {
    return this.node.name;
  }

  /** Takes a request on. `settle` is called once with the reply, possibly before this returns. */
  send(request: NodeRequest, settle?: (reply: NodeReply) => void): Parcel {
    const parcel: Parcel = { request, settle };
    const state = this.node.reach();
    if (request.kind === 'release') {
      this.#queue = this.#queue.filter(({ request: { kind, token } }) => kind === 'release' || token !== request.token);
      if (!this.#traces.has(request.token)) {
        deliver(parcel, { outcome: 'released' });
        return parcel;
      }
    }
    const objection = this.node.objection(request);
    if (objection !== undefined) {
      deliver(parcel, untrusted(objection));
      return parcel;
    }
    if (state.status === 'down') deliver(parcel, unreachable(state.cause));
    if (state.status !== 'down' || request.kind === 'release') {
      this.#queue.push(parcel);
      this.#flushSoon();
    }
    return parcel;
  }

  /** The time of this request is up: if it has not left yet, it never will. A release stays. */
  withdraw(parcel: Parcel): void {
    parcel.settle = undefined;
    if (parcel.request.kind === 'release') return;
    const index = this.#queue.indexOf(parcel);
    if (index >= 0) this.#queue.splice(index, 1);
  }

  listen(channel: string, listener: ReleaseListener): Cancel {
    return this.node.listen(channel, listener);
  }

  /** Resolves when all that was asked for has been answered: nothing more is to be undone or given back. */
  idle(): Promise<void> {
    if (this.#queue.length === 0 && this.#inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onIdle.push(resolve);
    });
  }

  #onChange(): void {
    const state = this.node.reach();
    if (state.status === 'ready') this.#flushSoon();
    if (state.status !== 'down') return;
    const waiting = this.#queue;
    this.#queue = waiting.filter(({ request }) => request.kind === 'release');
    for (const parcel of waiting) deliver(parcel, unreachable(state.cause));
  }

  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    this.clock.atEndOfTurn(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (this.#queue.length > 0 && this.#inFlight < this.maxConcurrency && this.node.reach().status === 'ready') {
      const batch = this.#load();
      if (batch.length === 0) continue;
      this.#inFlight++;
      for (const { request } of batch) this.#noteSent(request);
      this.node.execute(batch.map(({ request }) => this.#asOfNow(request))).then(
        (replies) => {
          this.#inFlight--;
          batch.forEach((parcel, index) => {
            const reply = replies[index] ?? refused(new Error('The server sent fewer replies than requests.'));
            this.#noteReply(parcel.request, reply);
            deliver(parcel, reply);
          });
          if (this.#queue.length > 0) this.#flushSoon();
          this.#noteIdle();
        },
        (cause: unknown) => {
          this.#inFlight--;
          this.#onBrokenTrip(batch, unreachable(cause));
        },
      );
    }
    this.#noteIdle();
  }

  /** What leaves next. Between the request and now the node may have been looked at, and found to have forgotten locks. */
  #load(): readonly Parcel[] {
    return this.#queue.splice(0, LARGEST_BATCH).filter((parcel) => {
      const objection = this.node.objection(parcel.request);
      if (objection !== undefined) deliver(parcel, untrusted(objection));
      return objection === undefined;
    });
  }

  /**
   * Nobody knows what the node has done of these. Releases are tried again, with the next request or when the node is
   * back, whichever is first; everything else is over.
   */
  #onBrokenTrip(batch: readonly Parcel[], failure: Failure): void {
    this.#queue.unshift(...batch.filter(({ request }) => request.kind === 'release'));
    for (const parcel of batch) {
      this.#noteReply(parcel.request, undefined);
      deliver(parcel, failure);
    }
    this.#noteIdle();
  }

  #noteIdle(): void {
    if (this.#queue.length > 0 || this.#inFlight > 0) return;
    for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  #releaseLater(request: NodeRequest): void {
    this.clock.after(RELEASE_AGAIN_MS, () => this.send(request), 'background');
  }

  /** A claim that stays until a certain instant stays the shorter, the later the request leaves. */
  #asOfNow(request: NodeRequest): NodeRequest {
    const { keepUntilMs, claims } = request;
    if (keepUntilMs === undefined) return request;
    const ttlMs = Math.max(0, Math.ceil(keepUntilMs - this.clock.nowMs()));
    return { ...request, claims: claims.map((claim) => ({ ...claim, ttlMs })) };
  }

  #noteSent({ kind, token, claims }: NodeRequest): void {
    if (kind === 'release' || kind === 'inspect' || kind === 'remove' || kind === 'tell') return;
    const trace = this.#traces.get(token) ?? { unanswered: 0, planted: false, goneAtMs: 0 };
    trace.unanswered++;
    trace.goneAtMs = Math.max(trace.goneAtMs, this.clock.nowMs() + Math.max(...claims.map(({ ttlMs }) => ttlMs)));
    this.#traces.set(token, trace);
  }

  #noteReply(request: NodeRequest, reply: NodeReply | undefined): void {
    const { kind, token } = request;
    const trace = this.#traces.get(token);
    if (trace === undefined) return;
    if (kind === 'release') {
      if (reply === undefined) return;
      if (reply.outcome !== 'failed' || this.clock.nowMs() >= trace.goneAtMs) this.#traces.delete(token);
      else this.#releaseLater(request);
      return;
    }
    trace.unanswered--;
    // A refused script may have been stopped half way, so only a clear no is taken for one.
    trace.planted ||= reply?.outcome !== 'denied';
    if (!trace.planted && trace.unanswered === 0) this.#traces.delete(token);
  }
}

function deliver(parcel: Parcel, reply: NodeReply): void {
  const { settle } = parcel;
  parcel.settle = undefined;
  settle?.(reply);
}

function unreachable(cause: unknown): Failure {
  return { outcome: 'failed', reason: 'unreachable', cause: cause instanceof Error ? cause : new Error(String(cause)) };
}

function untrusted(cause: Error): Failure {
  return { outcome: 'failed', reason: 'untrusted', cause };
}

function refused(cause: Error): Failure {
  return { outcome: 'failed', reason: 'refused', cause };
}
