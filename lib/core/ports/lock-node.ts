import type { Cancel } from './clock.js';
import type { JobNote, PauseState } from './job-note.js';

/** One key that a lock takes on a node. */
export interface Claim {
  readonly key: string;
  readonly ttlMs: number;
  /** Where the node counts the grants of this key, for a fencing token. Without one it counts nothing. */
  readonly counter?: string | undefined;
  /** For how long the node remembers the counter after a grant, in milliseconds. It outlives the claim in any case. Default: 0. */
  readonly retentionMs?: number;
  /** For how long a server that has forgotten this claim must not vote on this key, in milliseconds. Default: its ttl. */
  readonly quarantineMs?: number;
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

/*
 * Who waits for a claim is told of its release only where somebody is known to wait: a release that nobody waits for costs a node no
 * message. What a waiter can miss, and for how long it waits then:
 *
 * - An acquire that is denied with `waits` leaves a mark on the claim that it was denied for. The mark goes with the claim. It stays
 *   through extensions, and when the same token is granted again.
 * - A waiter listens on the channels of its claims, and asks again as soon as it does. From then on every claim that it knows to be in
 *   its way has its mark, on each node that has denied it. It asks again, and so marks again, after every message, after the known
 *   rest of the holder's ttl, and when it hears too few nodes. What it has marked and what it hears share a node as long as the same
 *   majority of the nodes can be reached; where different ones fail one after the other, the rest of the ttl is the backstop, as for
 *   a message that is lost.
 * - A lock that is handed on within a process is released without a message, and its mark with it. So an attempt that did not get the lock with its
 *   first question, who stood behind another in line, or came while others had the first go, is granted with `waited`: marked from
 *   the beginning. This is also what those listen for who have let others in other processes go first, and have asked nothing.
 * - What a node has forgotten it has forgotten with its mark, so `heal` puts it back with one. A restart of one node after the other leaves
 *   no waiter without a message.
 * - A claim of something else (no lock of this package, or one that never expires) gets no mark, because nobody listens for its end; its
 *   removal is always told. `tell` always tells, too: of a lock that was handed on and not taken.
 * - A node that is full cannot mark, and answers all the same. Its waiters could not be granted the lock there either, until it takes
 *   writes again; those who were denied before that have the rest of the ttl as the backstop.
 *
 * So a waiter that hears nothing waits for the rest of the ttl that it was told last, and not longer.
 */

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
 *   `absent` where one is gone. Where claims have a channel, their ttl has become shorter: who waits is told.
 * - `heal` does the same, and puts back those that are gone, under the number `fence` and with counters that are not behind it:
 *   `absent` where one was.
 * - `release` deletes the claims that carry the token. With a ttl above zero it leaves them for that long instead. Either way
 *   it tells those who wait: for them something has changed.
 *   `gone` says that a claim did not carry the token any more: a release that arrives a second time says so, too.
 * - `inspect` says who has the first claim, and changes nothing.
 * - `remove` deletes the claims that carry the token, as `inspect` has shown it, and tells those who wait: `absent` where there
 *   was nothing of it. What is not a lock of ours has a token, too, which stands for what it holds.
 * - `tell` changes nothing, and tells those who listen that something may have changed.
 * - `steer` sets `pause` in the register of the job where its version is higher than the one there, and notes `coveredMs` as the latest tick that is
 *   covered where it is later. The claims are not looked at.
 * - `read` gives the register of the job, and who has the first claim, and changes nothing.
 */
export interface NodeRequest {
  readonly kind:
    'acquire' | 'confirm' | 'extend' | 'heal' | 'release' | 'inspect' | 'remove' | 'tell' | 'steer' | 'read';
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
  /** For an acquire: if it is denied it listens for the release of the claim that it was denied for. Default: false. */
  readonly waits?: boolean;
  /** For an acquire: others may listen for its release already, since it was not served at once. Default: false. */
  readonly waited?: boolean;
  /** The register of the job that this is a run of. */
  readonly job?: JobNote | undefined;
  /** For `steer`. */
  readonly pause?: PauseState | undefined;
  /** For `steer`: a tick that needs no run any more, in epoch ms. */
  readonly coveredMs?: number;
}

export type NodeReply =
  | {
      readonly outcome: 'granted';
      /** The number of this grant; 0 where nothing is counted. */ readonly fence: number;
      /** Of an acquire with a job: the version of the last pause, or of its end, that this node has heard of. */ readonly pauseVersion?: number;
    }
  | { readonly outcome: 'confirmed' | 'renewed' | 'absent' | 'told' | 'steered' }
  | {
      readonly outcome: 'read';
      /** The text of the register; empty where there is none. */
      readonly register: string;
      /** The node's time of day in epoch ms, by which its register says until when a job is paused. */
      readonly nowMs: number;
      readonly holder?: Holder | undefined;
    }
  | {
      readonly outcome: 'released';
      /** How many listeners were told; 0 where nobody was known to wait. */
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
  ensureConnected(): NodeState;

  /** Called with every request that is made of the node, also with one that is never sent, because the node is down. */
  onRequest?(request: NodeRequest): void;

  /** Why the node must not vote on this request, although it is ready: it may have forgotten what others hold. */
  reasonNotToVote(request: NodeRequest): Error | undefined;

  /** Called after every change of state. */
  onChange(listener: () => void): void;

  /**
   * Many requests in one round trip, carried out in order. Two calls are carried out in the order of the calls.
   *
   * Exactly one of the callbacks is called, once, possibly before this returns: `onReplies` with one reply for each request, in the
   * same order, or `onError` when it is unknown what became of the requests (the connection broke). After an error the node
   * must never send them again: nothing would release a grant that no attempt waits for. The callbacks do not throw.
   */
  execute(
    requests: readonly NodeRequest[],
    onReplies: (replies: readonly NodeReply[]) => void,
    onError: (cause: unknown) => void,
  ): void;

  /** Tells the listener of claims with this channel that are released or removed on this node, until it is cancelled. */
  listen(channel: string, listener: ReleaseListener): Cancel;
}
