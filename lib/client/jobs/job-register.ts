import type { Clock } from '../../core/ports/clock.js';
import type { Vote } from '../../core/vote.js';
import { cover, readRegisters, steer, type JobKeys } from '../../core/registers.js';
import type { PauseState } from '../../core/ports/job-note.js';
import type { Quorum } from '../../core/quorum.js';
import type { Refusal } from '../../core/refusal.js';
import { lockKey, registerKey } from '../keys.js';
import { toKeys } from '../options/check.js';
import type { Shards } from '../shards.js';
import { answersIn, endedPauseToKeepMs, toJobRecord, type JobRecord } from './job-record.js';
import { repairRegisters } from './register-repair.js';
import { whyPaused } from './why-paused.js';

/** A job, by what its register is found by. */
export interface JobPlace {
  /** The option `job` of its calls, where they have one. Default: the keys. */
  readonly name?: string | undefined;
  /** The keys of its lock. */
  readonly keys: string | readonly string[];
}

/** Where the servers keep it, for a caller that has found it there. */
export type FoundJob = JobKeys;

/** So many versions share a millisecond; which one is left to chance, so that two changes at once have different ones. */
const VERSIONS_A_MS = 1024;

/**
 * What the servers keep of each job: its last runs, and whether it is paused. The calls that take and give back its lock write it
 * on the way; this reads it, and steers.
 */
export class JobRegister {
  constructor(
    private readonly prefix: string,
    private readonly shards: Shards,
  ) {}

  /**
   * What the servers know of the job. Waits for all of them, within one node timeout, and brings what they know to those that are behind.
   *
   * @throws QuorumUnreachableError fewer than a majority have answered
   */
  async read(place: JobPlace | FoundJob): Promise<JobRecord> {
    const { quorum, keys } = this.#find(place);
    const votes = await readRegisters(quorum, keys);
    const wallMs = quorum.clock.wallMs();
    const answers = answersIn(votes, wallMs);
    repairRegisters(quorum, keys, answers);
    return toJobRecord(votes, wallMs, answers);
  }

  /** Why a run that has the lock must not begin: the job is paused, or no majority of the servers has answered. Settles within one node timeout. */
  async whyPaused(place: JobPlace): Promise<Refusal | undefined> {
    const { quorum, keys } = this.#find(place);
    return await whyPaused(quorum, keys);
  }

  /**
   * Pauses the job: when this resolves no process gets its lock any more, until the time is over or it is resumed. A run that has its
   * lock goes on. A job that is paused is paused anew. Settles within two node timeouts.
   *
   * @param forMs default: until it is resumed
   * @throws QuorumUnreachableError no majority of the servers has confirmed; it may be paused all the same
   */
  async pause(
    place: JobPlace | FoundJob,
    { forMs = Infinity, reason = '' }: { forMs?: number; reason?: string } = {},
  ): Promise<void> {
    await this.#steer(place, { leftMs: forMs, reason });
  }

  /** Ends a pause, also one that failed and would take effect later. Otherwise as {@link pause}. */
  async resume(place: JobPlace | FoundJob): Promise<void> {
    await this.#steer(place, { leftMs: 0, reason: '' });
  }

  /** Notes that the tick needs no run any more, and waits for no answer. */
  cover(place: JobPlace | FoundJob, tickMs: number): void {
    const { quorum, keys } = this.#find(place);
    cover(quorum, keys, tickMs);
  }

  async #steer(place: JobPlace | FoundJob, state: Omit<PauseState, 'version'>): Promise<void> {
    const { quorum, keys } = this.#find(place);
    const votes = await readRegisters(quorum, keys);
    const wallMs = quorum.clock.wallMs();
    const answers = answersIn(votes, wallMs);
    const known = toJobRecord(votes, wallMs, answers, endedPauseToKeepMs(answers));
    // It is higher than what a majority knows, and than that of an earlier change which few servers have taken, or none yet.
    const leastVersion = Math.max(known.version + 1, Math.floor(wallMs) * VERSIONS_A_MS);
    const version = leastVersion + Math.floor(quorum.entropy.random() * VERSIONS_A_MS);
    // A tick that fell into a pause is not made up for, also into one whose end is replaced here. By the servers' clocks: that of an operator may be ahead, and cover ticks that are to come.
    const isEnd = known.pausedLeftMs > 0 && state.leftMs === 0;
    const coveredMs = isEnd ? Math.min(...votes.map((vote) => nowOf(vote, quorum.clock))) : known.coveredMs;
    await steer(quorum, keys, { ...state, version }, coveredMs);
  }

  #find(place: JobPlace | FoundJob): { quorum: Quorum; keys: JobKeys } {
    if ('register' in place) return { quorum: this.shards.quorumOf(place.named), keys: place };
    const { name, keys } = place;
    const named = toKeys(typeof keys === 'string' ? keys : [...keys]).toSorted();
    const locks = named.map((key) => lockKey(this.prefix, key));
    const names = name === undefined ? locks : [lockKey(this.prefix, name)];
    const register = registerKey(locks, names);
    return { quorum: this.shards.quorumOf(named), keys: { register, lock: locks[0] ?? '', named } };
  }
}

function nowOf(vote: Vote, clock: Clock): number {
  return vote.outcome === 'read' && vote.nowMs > 0 ? vote.nowMs : Math.floor(clock.wallMs());
}
