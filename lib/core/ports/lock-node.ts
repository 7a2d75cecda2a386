import type { Cancel } from './clock.js';

/** One key that a lock takes on a node. */
export interface Claim {
  readonly key: string;
  readonly ttlMs: number;
  /** Where the node counts the grants of this key, for a fencing token. Without one it counts nothing. */
  readonly counter?: string | undefined;
  /** For how long the node remembers the counter after a grant, in milliseconds. It outlives the claim in any case. Default: 0. */
  readonly retentionMs?: number;
  /** For how long a server that has forgotten this claim must not vote on this key, in milliseconds. Default: its ttl. */
  readonly guardMs?: number;
  /** It stays when the lock is released, until its ttl is over: a tick that has run, or the hold of an interval. Default: false. */
  readonly staysBehind?: boolean;
  /** Who listens on this channel is told of a release, and of other changes for the better. Without one nobody is. */
  readonly channel?: string | undefined;
}

/** Who has a key, as the node that was asked sees it. */
export interface Holder {
  readonly key: string;
  readonly token: string;
  readonly owner: string;
  /** The number of its grant on this node. */
  readonly fence: number;
  /** Milliseconds until the node forgets it by itself; Infinity for a key that never expires (it is not one of ours). */
  readonly remainingMs: number;
}

/**
 * What a node can be asked. Each is decided by the node alone and at once:
 *
 * - `acquire` takes all claims or none. A claim that carries the same token already is granted again, for the full ttl. The
 *   counters of the claims are set to one more than the highest of them, and the claims record that number; what is merely
 *   granted again keeps the number it has. A counter that is not there begins at `fenceStart`, or at the node's own time of day
 *   in microseconds, rounded down, if that is later. A counter that holds something else than a number fails the request.
 * - `confirm` sets the counters to `fence` where they are behind, if all claims still carry the token and the number that
 *   they were granted under (`grantedFence`).
 * - `extend` gives each claim that carries the token its ttl anew, but nothing at all where one claim belongs to somebody else:
 *   `absent` where one is gone. Where claims have a channel, their ttl has become shorter: who listens is told.
 * - `heal` does the same, and puts back those that are gone, under the number `fence` and with counters that are not behind it:
 *   `absent` where one was.
 * - `release` deletes the claims that carry the token. With a ttl above zero it leaves them for that long instead. Either way
 *   it tells those who listen: for them something has changed.
 *   `gone` says that a claim did not carry the token any more: a release that arrives a second time says so, too.
 * - `inspect` says who has the first claim, and changes nothing.
 * - `remove` deletes the claims that carry the token, as `inspect` has shown it, and tells those who listen: `absent` where there
 *   was nothing of it. What is not a lock of ours has a token, too, which stands for what it holds.
 * - `tell` changes nothing, and tells those who listen that something may have changed.
 */
export interface NodeRequest {
  readonly kind: 'acquire' | 'confirm' | 'extend' | 'heal' | 'release' | 'inspect' | 'remove' | 'tell';
  readonly token: string;
  readonly owner: string;
  readonly claims: readonly Claim[];
  /** For a release: claims stay until then, on the clock of this process, and have no ttl of their own. */
  readonly keepUntilMs?: number | undefined;
  /** The fencing token of the lock, once it has one. */
  readonly fence?: number;
  /** The number under which this node has granted the lock. */
  readonly grantedFence?: number;
  /** For an acquire: where a counter begins at least that the node does not remember. Default: 0. */
  readonly fenceStart?: number;
}

export type NodeReply =
  | { readonly outcome: 'granted'; /** The number of this grant; 0 where nothing is counted. */ readonly fence: number }
  | { readonly outcome: 'confirmed' | 'renewed' | 'absent' | 'told' }
  | {
      readonly outcome: 'released';
      /** How many listeners were told. */
      readonly heard?: number;
      /** Of a release: a claim did not carry the token any more when this request arrived. */
      readonly gone?: boolean;
    }
  | { readonly outcome: 'denied' | 'taken' | 'seen'; readonly holder: Holder }
  | Failure;

/** A request that got no answer, or no useful one, and why. */
export interface Failure {
  readonly outcome: 'failed';
  /** `refused`: the server answered, but with an error. `untrusted`: it may have forgotten who has what. */
  readonly reason: 'timeout' | 'unreachable' | 'refused' | 'untrusted';
  readonly cause: Error;
}

/**
 * - `ready`: takes requests.
 * - `connecting`: may take them in a moment, worth waiting for.
 * - `down`: cannot be reached, and the reason for it.
 */
export type NodeState =
  { readonly status: 'ready' | 'connecting' } | { readonly status: 'down'; readonly cause: Error };

/** Somebody who waits for a key to be given back. */
export interface ReleaseListener {
  /** From now on every release is told (true), or some may be missed (false). Until the first call: false. */
  onHearing(hears: boolean): void;
  /** With the number of those who are told, this one among them; 0 where the node does not know. */
  onReleased(told: number): void;
}

/** A server as the algorithm sees it. */
export interface LockNode {
  /** What people call it, without any secret. */
  readonly name: string;

  /** What would become of a request made now. Asking is also the wish for it: a node that is down may try to connect. */
  reach(): NodeState;

  /** Why the node must not vote on this request, although it is ready: it may have forgotten what others hold. */
  objection(request: NodeRequest): Error | undefined;

  /** Called after every change of state. */
  onChange(listener: () => void): void;

  /**
   * Many requests in one round trip, carried out in order, one reply for each in the same order. Two calls are carried
   * out in the order of the calls.
   *
   * Rejects when it is unknown what became of them (the connection broke). It must then never send them again by
   * itself: a grant that nobody waits for is a ghost.
   */
  execute(requests: readonly NodeRequest[]): Promise<readonly NodeReply[]>;

  /** Tells the listener of claims with this channel that are released or removed on this node, until it is cancelled. */
  listen(channel: string, listener: ReleaseListener): Cancel;
}
