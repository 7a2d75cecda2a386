import type { NodeReply, NodeRequest } from './ports/lock-node.js';
import type { Place } from './linked-list.js';
import { youngList } from './young-list.js';

type Settle = (reply: NodeReply, position: number) => void;

/** A request on its way to one node. Settled once; what comes later is for the books only. */
export class PendingRequest {
  /** It was in a trip that failed although the node is ready. It travels alone, so that others do not fail with it. */
  isAlone = false;
  place: Place<PendingRequest> | undefined;
  /** What the node may have of its token. Undefined: nothing. */
  trace: Trace | undefined;
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

/** The traces of one token on all nodes. */
export class TracesOfToken {
  /** By the index of the node. */
  readonly traces = youngList<Trace | undefined>();
  /** How many nodes have one. */
  count = 0;

  constructor(readonly token: string) {}
}

/** What a node may have of one token, and what waits to be asked of it for that token. */
export class Trace {
  /** How many requests have left and are not answered. */
  inFlight = 0;
  /** Whether one of them has taken the keys, or may have. */
  mayHold = false;
  /** When the node has forgotten it without being asked to. */
  expiresAtMs = 0;
  /** The last of the requests that wait; the others are its siblings. */
  waiting: PendingRequest | undefined;
  /** Whether the node has confirmed a release since, or has nothing of it for another reason. */
  isForgotten = false;

  constructor(readonly all: TracesOfToken) {}

  get mayBeThere(): boolean {
    return this.mayHold || this.inFlight > 0;
  }

  /** Whether the node has not answered yet, and its answer may show that it does not hold the token. */
  get mayBeDenied(): boolean {
    return this.inFlight > 0 && !this.mayHold;
  }

  add(pending: PendingRequest): void {
    pending.sibling = this.waiting;
    this.waiting = pending;
  }

  remove(pending: PendingRequest): void {
    if (this.waiting === pending) this.waiting = pending.sibling;
    else {
      let before = this.waiting;
      while (before !== undefined && before.sibling !== pending) before = before.sibling;
      if (before !== undefined) before.sibling = pending.sibling;
    }
    pending.sibling = undefined;
  }
}
