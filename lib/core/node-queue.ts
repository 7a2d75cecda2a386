import { TOO_FEW_REPLIES, TOO_LATE, unreachable, untrusted } from './failures.js';
import type { Cancel, Clock } from './ports/clock.js';
import type { Failure, LockNode, NodeReply, NodeRequest, ReleaseListener } from './ports/lock-node.js';
import { PendingRequest } from './pending-request.js';
import { PossiblyHeld } from './possibly-held.js';
import { EARLY_BATCH, RequestQueue } from './request-queue.js';

/** A server that refuses a release (it is busy, or loading its data) is asked again after this time. */
const RELEASE_AGAIN_MS = 1000;

/**
 * Carries requests to one node and sees to it that nothing is left behind there (P11):
 *
 * - What is asked within one turn of the event loop travels in one round trip, or in a few where it is much. No more than
 *   `maxConcurrency` of those are under way; the rest waits here.
 * - An acquire or an extension leaves at most once, and never after its time is up.
 * - A release of what may have arrived is delivered, however long the node is away: it is the only undo there is. It
 *   follows the acquire on the same path and so cannot overtake it. One that says how a run ended is sent to every node.
 */
export class NodeQueue {
  readonly name: string;
  readonly #queue: RequestQueue;
  #inFlight = 0;
  #isFlushDue = false;
  #isFlushing = false;
  readonly #onIdle: (() => void)[] = [];

  constructor(
    private readonly node: LockNode,
    private readonly clock: Clock,
    private readonly maxConcurrency: number,
    private readonly possiblyHeld = new PossiblyHeld(clock),
  ) {
    this.name = node.name;
    this.#queue = new RequestQueue(this.possiblyHeld);
    node.onChange(this.#onChange);
  }

  /** Takes a request on. `settle` is called once with the reply, possibly before this returns. */
  send(request: NodeRequest, settle?: (reply: NodeReply) => void): PendingRequest {
    const pending = new PendingRequest(request, settle);
    this.take(pending);
    return pending;
  }

  /**
   * Releases an attempt that most servers have denied. While this node has not answered the attempt, the release begins no round trip: after a
   * denial nothing is to be released. It leaves with the next trip, ahead of every acquire, or as soon as the answer is a different one.
   */
  releaseUnlessDenied(request: NodeRequest): void {
    this.take(new PendingRequest(request), this.possiblyHeld.get(request.token)?.mayBeDenied);
  }

  take(pending: PendingRequest, canWait = false): void {
    const { request } = pending;
    this.node.onRequest?.(request);
    const state = this.node.ensureConnected();
    if (request.kind !== 'acquire') pending.trace = this.possiblyHeld.get(request.token);
    this.#queue.supersede(pending);
    const answer = this.#knownAnswer(pending);
    if (answer !== undefined) {
      pending.deliver(answer);
      return;
    }
    if (state.status === 'down') pending.deliver(unreachable(state.cause));
    if (state.status !== 'down' || request.kind === 'release') {
      this.#queue.push(pending, pending.trace?.mayBeThere !== true);
      const isIdle = this.#inFlight === 0 && !this.#isFlushing;
      if (isIdle && this.#queue.size >= EARLY_BATCH) this.#flush();
      else if (!canWait) this.#flushSoon();
    }
  }

  /** The time of this request is up: if it has not left yet, it never will. A release stays. */
  withdraw(pending: PendingRequest): void {
    pending.settle = undefined;
    if (pending.request.kind !== 'release') this.#queue.remove(pending);
  }

  keep(token: string): void {
    this.#queue.keep(token);
  }

  listen(channel: string, listener: ReleaseListener): Cancel {
    return this.node.listen(channel, listener);
  }

  /** Resolves when all that was asked for has been answered: nothing more is to be undone or given back. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#onIdle.push(resolve);
      this.#noteIdle();
    });
  }

  readonly #onChange = (): void => {
    const state = this.node.ensureConnected();
    if (state.status === 'ready') this.#flushSoon();
    if (state.status !== 'down') return;
    for (const pending of this.#queue.takeAllButReleases()) pending.deliver(unreachable(state.cause));
  };

  #flushSoon(): void {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    this.clock.atEndOfTurn(this.#flush);
  }

  readonly #flush = (): void => {
    this.#isFlushDue = false;
    this.#isFlushing = true;
    while (this.#queue.size > 0 && this.#inFlight < this.maxConcurrency && this.#isReady()) {
      const nowMs = this.clock.nowMs();
      const batch = this.#queue.takeBatch(this.#isToLeave, nowMs);
      if (batch.length > 0) this.#execute(batch, nowMs);
    }
    this.#isFlushing = false;
    this.#noteIdle();
  };

  #execute(batch: readonly PendingRequest[], nowMs: number): void {
    this.#inFlight++;
    const requests = batch.map((pending) => pending.requestAt(nowMs));
    const onReplies = (replies: readonly NodeReply[]): void => {
      this.#inFlight--;
      batch.forEach((pending, index) => {
        const reply = replies[index] ?? TOO_FEW_REPLIES;
        this.#noteReply(pending, reply);
        pending.deliver(reply);
      });
      this.#afterTrip();
    };
    this.node.execute(requests, onReplies, (cause) => {
      this.#inFlight--;
      this.#onBrokenTrip(batch, unreachable(cause));
      this.#afterTrip();
    });
  }

  #afterTrip(): void {
    if (this.#queue.size === 0) this.#noteIdle();
    else if (this.#isReady()) this.#flushSoon();
  }

  /** Since the request the node may have been found to have forgotten locks, or may have denied what is to be released. */
  readonly #isToLeave = (pending: PendingRequest, nowMs: number): boolean => {
    const answer = pending.isOver(nowMs) ? TOO_LATE : this.#knownAnswer(pending);
    if (answer === undefined) this.possiblyHeld.onSent(pending, nowMs);
    else pending.deliver(answer);
    return answer === undefined;
  };

  /** The answer to what need not be sent, or must not. */
  #knownAnswer(pending: PendingRequest): NodeReply | undefined {
    const { request } = pending;
    if (request.kind === 'release' && pending.trace?.mayBeThere !== true) {
      if (request.job?.end === undefined) return { outcome: 'released' };
      pending.ignoreGone();
    }
    const reasonNotToVote = this.node.reasonNotToVote(request);
    return reasonNotToVote && untrusted(reasonNotToVote);
  }

  /**
   * It is not known what the node has done of these. Releases are tried again, with the next request or when the node is
   * back, whichever is first; everything else is over.
   * Where the node is ready all the same, one of them may be what the trip has failed of. From then on each travels alone, and
   * after a while: so the others arrive, and that one costs a trip a second until its ttl is over.
   */
  #onBrokenTrip(batch: readonly PendingRequest[], failure: Failure): void {
    const isReady = this.#isReady();
    const isRelease = ({ request }: PendingRequest): boolean => request.kind === 'release';
    if (!isReady) this.#queue.putBack(batch.filter(isRelease));
    for (const pending of batch) {
      if (isReady) pending.isAlone = true;
      if (isReady || !isRelease(pending)) this.#noteReply(pending, undefined);
      pending.deliver(failure);
    }
  }

  #isReady(): boolean {
    return this.node.ensureConnected().status === 'ready';
  }

  #noteIdle(): void {
    if (this.#onIdle.length === 0 || this.#queue.size > 0 || this.#inFlight > 0) return;
    for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  #noteReply(pending: PendingRequest, reply: NodeReply | undefined): void {
    if (pending.request.kind !== 'release') this.possiblyHeld.onReply(pending, reply);
    else if (this.possiblyHeld.onReleaseReply(pending, reply)) this.#releaseLater(pending);
  }

  #releaseLater({ request, isAlone }: PendingRequest): void {
    const pending = new PendingRequest(request);
    pending.isAlone = isAlone;
    this.clock.after(RELEASE_AGAIN_MS, this.take.bind(this, pending), 'background');
  }
}
