import type { Clock } from './ports/clock.js';
import type { NodeReply, NodeRequest } from './ports/lock-node.js';
import { StringMap } from './string-map.js';

class Trace {
  /** How many requests have left and are not answered. */
  inFlight = 0;
  /** Whether one of them has taken the keys, or may have. */
  mayHold = false;
  /** When the node has forgotten it without being asked to. */
  expiresAtMs = 0;
}

/** After these the node holds no more than before. */
const TAKES_NOTHING: ReadonlySet<NodeRequest['kind']> = new Set(['inspect', 'remove', 'tell', 'steer', 'read']);

/** Which tokens a node may hold, so that each is released there in the end, and no release is sent for nothing. */
export class PossiblyHeld {
  readonly #traces = new StringMap<Trace>();

  constructor(private readonly clock: Pick<Clock, 'nowMs'>) {}

  has(token: string): boolean {
    return this.#traces.has(token);
  }

  /** Whether the node has not answered yet, and its answer may show that it does not hold the token. */
  mayBeDenied(token: string): boolean {
    const trace = this.#traces.get(token);
    return trace !== undefined && trace.inFlight > 0 && !trace.mayHold;
  }

  onSent({ kind, token, claims }: NodeRequest, nowMs: number): void {
    if (kind === 'release' || TAKES_NOTHING.has(kind)) return;
    const trace = this.#traces.get(token) ?? new Trace();
    trace.inFlight++;
    for (const { ttlMs } of claims) trace.expiresAtMs = Math.max(trace.expiresAtMs, nowMs + ttlMs);
    this.#traces.set(token, trace);
  }

  /** Takes the reply to anything but a release; undefined where it is not known what the node has done. */
  onReply({ kind, token }: NodeRequest, reply: NodeReply | undefined): void {
    const trace = this.#traces.get(token);
    if (trace === undefined || TAKES_NOTHING.has(kind)) return;
    trace.inFlight--;
    // A refused script may have been stopped half way, so only a clear no is taken for one.
    trace.mayHold ||= reply?.outcome !== 'denied';
    if (!trace.mayHold && trace.inFlight === 0) this.#traces.delete(token);
  }

  /** Takes the reply to a release. Returns whether it must be sent again. */
  onReleaseReply({ token }: NodeRequest, reply: NodeReply | undefined): boolean {
    const trace = this.#traces.get(token);
    if (trace === undefined) return false;
    const isUndone = reply !== undefined && reply.outcome !== 'failed';
    const isOver = isUndone || this.clock.nowMs() >= trace.expiresAtMs;
    if (isOver) this.#traces.delete(token);
    return !isOver;
  }
}
