import type { Clock } from '../core/ports/clock.js';
import type { NodeRequest } from '../core/ports/lock-node.js';
import type { ServerInfo } from './server-info.js';

export type RestartGuardMode = 'witnessed' | 'strict' | 'off';

/**
 * Knows whether a server may have forgotten locks that somebody still holds (P12). It must not vote for anybody else then,
 * until the longest of them would have expired. It still carries extensions and releases: what it is told again it knows.
 *
 * - A marker on the server changes with every loss of data: a flush, a restart without data, a promoted replica that was
 *   behind. Who sees another marker than before has witnessed one.
 * - A new run id is a restart. With an append-only file and the same marker the data are back. A snapshot is older than
 *   the marker tells, and without persistence there is nothing to come back.
 * - A replica that has taken over (Sentinel) has the marker, but the last locks may not have come through to it. Neither its
 *   uptime nor its run id tells (it may have been the master before): its replication id does.
 *
 * `strict` also goes by the server's own uptime, for losses that this process was not there to see, and takes every
 * restart for one.
 *
 * Source: Redis documentation, "Distributed Locks with Redis", section "Performance, Crash Recovery and fsync".
 */
export class RestartGuard {
  /** The longest time for which anything that this process has asked for may matter to somebody. */
  #longestMs = 0;
  #runId: string | undefined;
  #history: string | undefined;
  #marker: string | undefined;
  #lostAtMs = -Infinity;
  #loss = '';

  constructor(
    private readonly mode: RestartGuardMode,
    private readonly clock: Clock,
  ) {}

  /** The marker that the server must show, or undefined as long as any will do. */
  get marker(): string | undefined {
    return this.#marker;
  }

  /** What was found of the server, each time that it is connected. Returns whether it may have lost data. */
  onConnected({ runId, uptimeMs, appendOnly, replica, promoted, history }: ServerInfo): boolean {
    if (this.mode === 'off' || runId === undefined) return false;
    const tookOver = promoted && this.#history !== undefined && this.#history !== history;
    this.#history = history;
    // A replica has no say. What it is compared with, should it ever have one, is the master that there was before.
    if (replica) return false;
    const restarted = this.#runId !== undefined && this.#runId !== runId;
    const first = this.#runId === undefined;
    this.#runId = runId;
    if (tookOver) {
      this.#note(this.clock.nowMs(), 'was a replica until lately');
      return true;
    }
    if (this.mode === 'strict' ? !(restarted || first) : !restarted || appendOnly) return false;
    this.#note(this.clock.nowMs() - uptimeMs, first ? 'has started' : 'was restarted');
    return true;
  }

  /** The marker that the server has shown. Returns whether it has lost data since the last time. */
  onMarker(marker: string): boolean {
    const lost = this.#marker !== undefined && this.#marker !== marker;
    this.#marker = marker;
    if (lost) this.#note(this.clock.nowMs(), 'has lost its data');
    return lost;
  }

  /** Remembers for how long this request may matter. */
  onRequest(request: NodeRequest): void {
    this.#longestMs = Math.max(this.#longestMs, lengthOf(request));
  }

  /** Why the server must not vote on this, if so. */
  objection(request: NodeRequest): Error | undefined {
    if (request.kind !== 'acquire' && request.kind !== 'confirm') return undefined;
    const leftMs = this.leftMs(lengthOf(request));
    if (leftMs <= 0) return undefined;
    return new Error(
      `quarantined for another ${Math.ceil(leftMs)} ms, because it ${this.#loss} and may have forgotten locks`,
    );
  }

  /** For how much longer the server is not trusted to vote, in milliseconds. */
  leftMs(lengthMs = 0): number {
    return Math.max(0, this.#lostAtMs + Math.max(this.#longestMs, lengthMs) - this.clock.nowMs());
  }

  #note(lostAtMs: number, loss: string): void {
    if (lostAtMs < this.#lostAtMs) return;
    this.#lostAtMs = lostAtMs;
    this.#loss = loss;
  }
}

function lengthOf({ claims }: NodeRequest): number {
  return Math.max(...claims.map(({ ttlMs, guardMs = ttlMs }) => guardMs));
}
