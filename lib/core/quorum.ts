import { NodeQueue } from './node-queue.js';
import type { FencingStart } from './fencing-number.js';
import type { Clock } from './ports/clock.js';
import type { Entropy } from './ports/entropy.js';
import type { LockNode } from './ports/lock-node.js';
import { PossiblyHeld } from './possibly-held.js';
import { Semaphore } from './semaphore.js';
import { Traces } from './traces.js';
import { WaitQueue } from './wait-queue.js';

/** Everything that the verbs work with: the servers of one quorum group, time, chance and the rules. */
export interface Quorum {
  readonly queues: readonly NodeQueue[];
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly rules: Rules;
  readonly waitQueue: WaitQueue;
  /** Where counters begin; of this process, because all its keys may profit from what one has seen. */
  readonly fencingStart: Pick<FencingStart, 'next' | 'note'>;
  /** Bounds how many attempts ask the servers at one time. */
  readonly attempts: Semaphore;
}

/**
 * How many attempts may be under way for each round trip that may. More would fill the trips better, and take the process longer than
 * a node timeout to hear of their answers when the machine is busy: then fewer of them are granted, not more.
 */
const ATTEMPTS_A_TRIP = 20;

/** The quorum that these nodes form. Asks nothing. */
export function createQuorum(
  nodes: readonly LockNode[],
  { clock, ...others }: Pick<Quorum, 'clock' | 'entropy' | 'rules' | 'fencingStart'>,
  maxConcurrency: number,
): Quorum {
  const traces = new Traces();
  return {
    ...others,
    clock,
    queues: nodes.map(
      (node, index) => new NodeQueue(node, clock, maxConcurrency, new PossiblyHeld(clock, traces, index)),
    ),
    waitQueue: new WaitQueue(clock),
    attempts: new Semaphore(clock, maxConcurrency * ATTEMPTS_A_TRIP),
  };
}

/** All times in milliseconds. What they mean and their defaults: see the public options. */
export interface Rules {
  readonly owner: string;
  readonly driftFactor: number;
  readonly nodeTimeoutMs: number;
  readonly retryDelayMs: number;
  readonly maxRetryDelayMs: number;
}

/**
 * How long one server may take. A quarter of the ttl at most: a lock of which the asking ate more than that is not worth
 * having, and an extension must have time for a second try.
 */
export function nodeTimeoutMs(rules: Rules, ttlMs: number): number {
  return Math.min(rules.nodeTimeoutMs, ttlMs / 4);
}
