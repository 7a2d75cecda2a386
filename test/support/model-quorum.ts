import { acquire as ask, type AcquirePlan } from '../../lib/core/acquire.js';
import type { Grant } from '../../lib/core/grant.js';
import { FencingStart } from '../../lib/core/fencing-number.js';
import type { HoldOptions } from '../../lib/core/hold-options.js';
import type { Entropy } from '../../lib/core/ports/entropy.js';
import type { LockNode } from '../../lib/core/ports/lock-node.js';
import { createQuorum, type Quorum, type Rules } from '../../lib/core/quorum.js';
import { Refusal } from '../../lib/core/refusal.js';
import { ModelNode } from './model-node.js';
import { VirtualClock } from './virtual-clock.js';

/** Chance that a seed replays (mulberry32). */
export class SeededEntropy implements Entropy {
  #state: number;
  #tokens = 0;

  constructor(
    seed: number,
    private readonly prefix = `${seed}`,
  ) {
    this.#state = seed;
  }

  random(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  token(): string {
    return `${Math.floor(this.random() * 1e9)}-${this.prefix}-${this.#tokens++}`;
  }
}

const RULES: Rules = { owner: 'me', driftFactor: 0.01, nodeTimeoutMs: 100, retryDelayMs: 50, maxRetryDelayMs: 1000 };

interface Setup {
  readonly seed?: number;
  readonly maxConcurrency?: number;
  /** Whether counters begin at the time of day. Otherwise they begin where the servers begin, so that tests can choose. */
  readonly timeOfDay?: boolean;
}

const NO_START: Quorum['fencingStart'] = { next: () => 0, note: () => undefined };

/** A process's view of some model nodes. Several of these over the same nodes are several processes. */
export function quorumOver(
  nodes: readonly LockNode[],
  clock: VirtualClock,
  { seed = 1, maxConcurrency = 10, timeOfDay = false, ...rules }: Partial<Rules> & Setup = {},
): Quorum {
  const entropy = new SeededEntropy(seed, rules.owner);
  const fencingStart = timeOfDay ? new FencingStart(clock) : NO_START;
  return createQuorum(nodes, { clock, entropy, rules: { ...RULES, ...rules }, fencingStart }, maxConcurrency);
}

export function modelNodes(count: number, clock: VirtualClock): ModelNode[] {
  return Array.from({ length: count }, (_, index) => new ModelNode(`node-${index + 1}`, clock));
}

/** A plan for the key "job" with a ttl of a second and one decision, unless said otherwise. */
export function planFor({
  ttlMs = 1000,
  key = 'job',
  ...plan
}: Partial<AcquirePlan> & { key?: string } = {}): AcquirePlan {
  return { keys: [key], claims: [{ key, ttlMs }], ttlMs, waitMs: 0, maxRetries: Infinity, ...plan };
}

export function keepFor(keep: Partial<HoldOptions> = {}): HoldOptions {
  return { autoExtend: false, minHoldMs: 0, maxHoldMs: Infinity, toTtlMs: Number, ...keep };
}

/** As the client does for a caller: a refusal is an error. */
export async function acquire(quorum: Quorum, plan: AcquirePlan): Promise<Grant> {
  const grant = await ask(quorum, plan);
  if (grant instanceof Refusal) throw grant.error;
  return grant;
}
