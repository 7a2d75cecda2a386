import type { Clock } from '../core/ports/clock.js';
import type { Claim, NodeRequest } from '../core/ports/lock-node.js';
import { LongHolds } from './long-holds.js';
import type { ServerInfo } from './server-info.js';

export type RestartGuardMode = 'witnessed' | 'strict' | 'off';

/**
 * Knows whether a server may have forgotten locks that other processes still hold (P12). Such a server must not vote until they
 * have expired. It still carries extensions and releases, because these say again what it has forgotten.
 *
 * For how long that is, counted from the loss:
 * - for every key, the longest ttl of a lock that this process has asked for: it cannot know what others had locked;
 * - for a key that stays closed for longer than that (a tick that has run, the hold of an interval, a `minHold`), as long as
 *   the key stays closed. Only requests for that same key wait for it.
 *
 * How a loss is seen:
 * - A marker on the server changes with every loss of data: a flush, a restart without data, a promoted replica that was
 *   behind. A process that sees another marker than before has witnessed one. A marker that a witness has planted tells
 *   when that was: a process that starts later keeps the server from voting for the rest of the time.
 * - A new run id is a restart. With an append-only file before and after it, and the same marker, the data are back. A snapshot is
 *   older than the marker tells, so is a file that was written to no more, and without persistence there is nothing to come back.
 * - A replica that has taken over (Sentinel) has the marker, but the last locks may not have come through to it. Neither its
 *   uptime nor its run id tells (it may have been the master before): its replication id does.
 *
 * A process that sees a loss by the run id or the replication id has the marker changed, so that other processes hear of it.
 *
 * A process that starts after a loss and is the first one to connect hears of none: until a witness asks the server it lets it vote.
 * `strict` also goes by the server's own uptime, for losses that no process was there to see, and takes every restart for
 * one.
 *
 * Source: Redis documentation, "Distributed Locks with Redis", section "Performance, Crash Recovery and fsync".
 */
export class RestartGuard {
  /** The longest ttl of a lock that this process has asked for. */
  #longestTtlMs = 0;
  /** The longest hold of a tick that this process has asked for. */
  #longestTickMs = 0;
  readonly #holds: LongHolds;
  #runId: string | undefined;
  #history: string | undefined;
  #hadAppendOnly = false;
  #marker: string | undefined;
  #isMarkerOld = false;
  #lostAtMs = -Infinity;
  #loss = '';
  /** Called when a lock is asked for that makes a quarantine longer, or begins one anew. */
  onLonger: () => void = () => undefined;

  constructor(
    private readonly mode: RestartGuardMode,
    private readonly clock: Clock,
  ) {
    this.#holds = new LongHolds(clock);
  }

  /** The marker that the server must show, or undefined as long as any will do. */
  get marker(): string | undefined {
    return this.#marker;
  }

  /** Whether the server may have lost data since it has shown that marker, so that the marker must change. */
  get isMarkerOld(): boolean {
    return this.#isMarkerOld;
  }

  /** What has happened to the server the last time that it may have lost data: "was restarted". */
  get loss(): string {
    return this.#loss;
  }

  /**
   * What was found of the server, each time that it is inspected. Returns whether it may have lost data. While a server reads its
   * append-only file, it says that it has none: it is judged by what it says afterwards, and does not vote before that.
   */
  onInspected(info: ServerInfo): boolean {
    const { runId, uptimeMs, appendOnly, rewriting, replica, promoted, history, loading } = info;
    if (this.mode === 'off' || runId === undefined || loading) return false;
    const tookOver = promoted && this.#history !== undefined && this.#history !== history;
    this.#history = history;
    // A replica has no say. What it is compared with, should it ever have one, is the master that there was before.
    if (replica) return false;
    const restarted = this.#runId !== undefined && this.#runId !== runId;
    const first = this.#runId === undefined;
    const isBack = this.#hadAppendOnly && appendOnly;
    this.#runId = runId;
    this.#hadAppendOnly = appendOnly && (!rewriting || (this.#hadAppendOnly && !restarted));
    if (tookOver) {
      this.#isMarkerOld = this.#marker !== undefined;
      this.#note(this.clock.nowMs(), 'was a replica until lately');
      return true;
    }
    if (this.mode === 'strict' ? !(restarted || first) : !restarted || isBack) return false;
    this.#isMarkerOld = this.#marker !== undefined;
    this.#note(this.clock.nowMs() - uptimeMs, first ? 'has started' : 'was restarted');
    return true;
  }

  /**
   * The marker that the server has shown, and how long ago a witness noticed the loss that it stands for: that is told to a process
   * that has not seen the server before. Returns whether the server has lost data that this process had not known of.
   */
  onMarker(marker: string, lostForMs?: number): boolean {
    const known = this.#marker;
    if (marker === known) return false;
    this.#marker = marker;
    this.#isMarkerOld = false;
    if (known === undefined && lostForMs === undefined) return false;
    const agoMs = known === undefined ? (lostForMs ?? 0) : 0;
    this.#note(this.clock.nowMs() - agoMs, 'has lost its data');
    return true;
  }

  /** Remembers for how long the claims of this request matter. */
  onRequest({ kind, claims }: NodeRequest): void {
    for (const claim of claims) {
      // Each request for a claim that stays behind says for how long it stays, so nothing needs to be remembered of it.
      if (claim.staysBehind) {
        this.#longestTickMs = Math.max(this.#longestTickMs, lengthOf(claim));
        continue;
      }
      if (kind !== 'release' && claim.ttlMs > this.#longestTtlMs) {
        this.#longestTtlMs = claim.ttlMs;
        if (this.leftMs() > 0) this.onLonger();
      }
      const holdMs = lengthOf(claim);
      if (holdMs > this.#longestTtlMs) this.#holds.note(claim.key, holdMs);
    }
  }

  /** Why the server must not vote on this, if so. */
  reasonNotToVote(request: NodeRequest): Error | undefined {
    if (request.kind !== 'acquire' && request.kind !== 'confirm') return undefined;
    if (this.#lostAtMs === -Infinity) return undefined;
    if (this.leftMs(request.claims) <= 0) return undefined;
    // No countdown: the same error must have the same words.
    return new Error(
      `quarantined, because it ${this.#loss} and may have forgotten locks: it does not vote on this key for ` +
        `${Math.ceil(this.#lengthMs(request.claims))} ms after that (tests that flush their server, and only they: restartGuard: 'off')`,
    );
  }

  /** For how much longer the server is not trusted to vote, in milliseconds: on any key, or on these claims. */
  leftMs(claims: readonly Claim[] = []): number {
    return Math.max(0, this.#lostAtMs + this.#lengthMs(claims) - this.clock.nowMs());
  }

  /** For how much longer it is not trusted to vote on one of the keys that stay closed for longer than a lock. */
  get longestLeftMs(): number {
    const lengthMs = Math.max(this.#longestTickMs, this.#holds.longestMs, this.#lengthMs([]));
    return Math.max(0, this.#lostAtMs + lengthMs - this.clock.nowMs());
  }

  #lengthMs(claims: readonly Claim[]): number {
    let longestMs = Math.max(this.#longestTtlMs, this.#holds.forAllKeysMs);
    for (const claim of claims) longestMs = Math.max(longestMs, lengthOf(claim), this.#holds.of(claim.key));
    return longestMs;
  }

  #note(lostAtMs: number, loss: string): void {
    if (lostAtMs < this.#lostAtMs) return;
    this.#lostAtMs = lostAtMs;
    this.#loss = loss;
  }
}

/** For how long a server that has forgotten this claim could do harm. */
function lengthOf({ ttlMs, quarantineMs = ttlMs }: Claim): number {
  return quarantineMs;
}
