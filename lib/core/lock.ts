import type { AcquirePlan } from './acquire.js';
import type { Grant } from './grant.js';
import { LockLostError, type LossReason } from './errors/lock-lost.error.js';
import { LockReleasedError } from './errors/lock-released.error.js';
import { QuorumUnreachableError } from './errors/quorum-unreachable.error.js';
import type { HoldOptions } from './hold-options.js';
import type { Quorum } from './quorum.js';
import { releaseAndHandOver, type OnReleaseEnd } from './release.js';
import { Upkeep } from './upkeep.js';
import { RunNote } from './run-note.js';
import type { Vote } from './vote.js';

/** A lock that was granted: it knows until when it may be trusted, says so before that is over, and can be given back. */
export class LockHandle {
  readonly keys: readonly string[];
  readonly token: string;
  readonly fencingToken: number;
  readonly tick: Date | undefined;
  readonly late: boolean;
  /** For the register, where it is the lock of a job. */
  readonly run: RunNote | undefined;

  #state: 'held' | 'lost' | 'released' = 'held';
  #loss: LockLostError | undefined;
  /** Made when the signal is asked for. */
  #abort: AbortController | undefined;
  #releasing: Promise<void> | undefined;

  // Private to the language, too: a lock that is printed must not show clients and their passwords.
  readonly #quorum: Quorum;
  readonly #plan: AcquirePlan;
  readonly #grant: Grant;
  readonly #keep: HoldOptions;
  readonly #upkeep: Upkeep;

  constructor(quorum: Quorum, plan: AcquirePlan, grant: Grant, keep: HoldOptions) {
    this.#quorum = quorum;
    this.#plan = plan;
    this.#grant = grant;
    this.#keep = keep;
    this.keys = Object.freeze([...plan.keys]);
    this.token = grant.token;
    this.fencingToken = grant.fence;
    this.run = plan.job && new RunNote(plan.job, quorum.clock);
    this.tick = this.run?.tick;
    this.late = plan.job?.trigger === 'catch-up';
    this.#upkeep = new Upkeep(quorum, plan, grant, keep, (reason, votes) => void this.lose(reason, votes));
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#loss !== undefined) this.#abort.abort(this.#loss);
    }
    return this.#abort.signal;
  }

  get remaining(): number {
    return this.#state === 'held' && this.#upkeep.check() === 'held' ? this.#upkeep.leftMs : 0;
  }

  /**
   * Goes by the clocks, not by timers: after a stall of the event loop a timer may not have fired yet. False also while it is
   * not known whether the lock outlived a suspension of the machine; the servers are asked, and may say that it is held.
   */
  isHeld(): boolean {
    return this.#look() === 'held';
  }

  assertHeld(): void {
    this.#throwIfOver('hold');
    if (this.#upkeep.check() === 'in doubt') throw new LockLostError(this.keys, 'suspended', this.#upkeep.votes);
  }

  /** Waits for what the servers say, where the machine was suspended, and throws then unless the lock is held. */
  async ensureHeld(): Promise<void> {
    if (this.#look() === 'in doubt') await this.#upkeep.confirm();
    this.assertHeld();
  }

  /** As {@link ensureHeld}, but where the lock was released before it was lost, all was well until the end. */
  async ensureNotLost(): Promise<void> {
    if (this.#loss !== undefined) throw this.#loss;
    if (this.#state !== 'released') await this.ensureHeld();
  }

  async extend(ttl?: number | string): Promise<void> {
    const ttlMs = ttl === undefined ? this.#upkeep.ttlMs : this.#keep.toTtlMs(ttl);
    this.#throwIfOver('extend');
    const unknown = await new Promise<readonly Vote[] | undefined>((resolve) => {
      this.#upkeep.extend(ttlMs, (renewal, votes) => {
        resolve(renewal === 'unknown' ? votes : undefined);
      });
    });
    // It may have been lost or released while the servers were asked, and that is what counts then.
    this.#throwIfOver('extend');
    if (unknown !== undefined) {
      throw new QuorumUnreachableError('extend', this.keys, this.#quorum.queues.length, unknown);
    }
  }

  /** Several calls at once are one. */
  release(): Promise<void> {
    if (this.#releasing !== undefined) return this.#releasing;
    if (this.#state === 'released') return Promise.reject(new LockReleasedError(this.keys, 'release'));
    this.#look();
    if (this.#state === 'held') return this.#release();
    // What a lost lock has left behind is being cleaned up already.
    this.#state = 'released';
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#releasing !== undefined || this.#state !== 'released' ? this.release() : Promise.resolve();
  }

  /**
   * Gives the lock up as lost: the signal aborts at once. The promise is for what is left of it on the servers: it resolves to why that
   * could not be given back, or to undefined. It never rejects.
   */
  lose(reason: LossReason, votes: readonly Vote[] = []): Promise<unknown> {
    if (this.#state !== 'held') return Promise.resolve(undefined);
    this.run?.end('lost');
    this.#end('lost');
    const givenBack = new Promise<unknown>((resolve) => {
      this.#giveBack((end) => {
        resolve(end instanceof Error ? end : undefined);
      });
    });
    this.#abortWith(new LockLostError(this.keys, reason, votes));
    return givenBack;
  }

  /** Its work has failed, and it may have been given back before: the servers were told then that all was well. */
  onWorkFailed(error: unknown): void {
    this.run?.end('failed', error);
    if (this.#state === 'released' && this.run?.correct('failed', error) === true) this.#giveBack(() => undefined);
  }

  /** Asks the servers where the machine was suspended since they confirmed the lock. Otherwise it does nothing. */
  look(): void {
    if (this.#state === 'held') this.#upkeep.check();
  }

  /** Notices the end, where no timer has yet. */
  #look(): 'held' | 'in doubt' | 'over' {
    if (this.#state !== 'held') return 'over';
    const found = this.#upkeep.check();
    if (found === 'over') void this.lose('expired', this.#upkeep.votes);
    return found;
  }

  #throwIfOver(verb: 'hold' | 'extend'): void {
    this.#look();
    if (this.#state === 'released') throw new LockReleasedError(this.keys, verb);
    if (this.#loss !== undefined) throw this.#loss;
  }

  #abortWith(error: LockLostError): void {
    this.#loss = error;
    this.#abort?.abort(error);
    this.#keep.onLost?.(error);
  }

  #release(): Promise<void> {
    this.#end('released');
    const releasing = { isOver: false };
    const released = new Promise<void>((resolve, reject) => {
      this.#giveBack((end, votes) => {
        releasing.isOver = true;
        this.#releasing = undefined;
        if (end instanceof Error) reject(end);
        // Once its time is over the servers forget it by themselves, and that it is gone proves nothing.
        // Nor does it of a run that does not take place: its tick is given back, too, and that may be over.
        else if (end === 'gone' && this.#upkeep.leftMs > 0 && this.run?.cancelledBy === undefined) {
          this.#state = 'lost';
          if (this.run?.correct() === true) this.#giveBack(() => undefined);
          const error = new LockLostError(this.keys, 'taken', votes);
          this.#abortWith(error);
          reject(error);
        } else {
          this.#keep.onReleased?.();
          resolve();
        }
      });
    });
    if (!releasing.isOver) this.#releasing = released;
    return released;
  }

  #end(state: 'lost' | 'released'): void {
    this.#state = state;
    this.#upkeep.stop();
    this.#keep.onEnd?.();
  }

  #giveBack(onEnd: OnReleaseEnd): void {
    releaseAndHandOver(this.#quorum, this.#plan, this.#grant, this.#keep.minHoldMs, onEnd, this.run);
  }
}
