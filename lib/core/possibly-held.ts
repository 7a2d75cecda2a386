import type { PendingRequest, Trace } from './pending-request.js';
import type { Clock } from './ports/clock.js';
import type { NodeReply, NodeRequest } from './ports/lock-node.js';
import { Traces } from './traces.js';

/** After these the node holds no more than before. */
const TAKES_NOTHING: ReadonlySet<NodeRequest['kind']> = new Set([
  'release',
  'inspect',
  'remove',
  'tell',
  'steer',
  'read',
]);

/**
 * Which tokens one node may hold, so that each is released there in the end, and no release is sent for nothing. A token is looked up
 * once for each request; the request has its trace from then on.
 */
export class PossiblyHeld {
  constructor(
    private readonly clock: Pick<Clock, 'nowMs'>,
    private readonly traces = new Traces(),
    /** The index of the node. */
    private readonly node = 0,
  ) {}

  /** Undefined where the node has nothing of this token, and nothing waits for it. */
  get(token: string): Trace | undefined {
    return this.traces.get(token, this.node);
  }

  /** The request waits from now on. */
  wait(pending: PendingRequest): void {
    if (!TAKES_NOTHING.has(pending.request.kind)) this.#ensureTrace(pending);
    pending.trace?.add(pending);
  }

  stopWaiting(pending: PendingRequest): void {
    const { trace } = pending;
    trace?.remove(pending);
    if (trace !== undefined) this.#forgetIfDone(trace);
  }

  onSent(pending: PendingRequest, nowMs: number): void {
    const { kind, claims } = pending.request;
    if (TAKES_NOTHING.has(kind)) return;
    const trace = this.#ensureTrace(pending);
    trace.inFlight++;
    for (const { ttlMs } of claims) trace.expiresAtMs = Math.max(trace.expiresAtMs, nowMs + ttlMs);
  }

  /** Takes the reply to anything but a release; undefined where it is not known what the node has done. */
  onReply({ request: { kind }, trace }: PendingRequest, reply: NodeReply | undefined): void {
    if (trace === undefined || trace.isForgotten || TAKES_NOTHING.has(kind)) return;
    trace.inFlight--;
    // A refused script may have been stopped half way, so only a clear no is taken for one.
    trace.mayHold ||= reply?.outcome !== 'denied';
    this.#forgetIfDone(trace);
  }

  /** Takes the reply to a release. Returns whether it must be sent again. */
  onReleaseReply({ trace }: PendingRequest, reply: NodeReply | undefined): boolean {
    if (trace?.mayBeThere !== true) return false;
    const isUndone = reply !== undefined && reply.outcome !== 'failed';
    if (!isUndone && this.clock.nowMs() < trace.expiresAtMs) return true;
    // Replies to what had left before the release tell nothing any more.
    trace.inFlight = 0;
    trace.mayHold = false;
    this.forget(trace);
    return false;
  }

  #ensureTrace(pending: PendingRequest): Trace {
    const { token } = pending.request;
    if (pending.trace === undefined || pending.trace.isForgotten) pending.trace = this.traces.ensure(token, this.node);
    return pending.trace;
  }

  #forgetIfDone(trace: Trace): void {
    if (trace.waiting === undefined && !trace.mayBeThere) this.forget(trace);
  }

  /** The node has nothing of it any more, or what it has is not to be released. */
  forget(trace: Trace): void {
    if (trace.isForgotten) return;
    trace.isForgotten = true;
    this.traces.forget(trace, this.node);
  }
}
