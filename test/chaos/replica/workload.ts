import { setTimeout as pass } from 'node:timers/promises';
import type { AcquireOptions, Lock, RedlockService } from 'redlock-nestjs';
import { Random } from '../plan/random.js';
import { Cancellation, codeOf, type AttemptLog, type Recorder } from './recorder.js';
import { LONGEST_TTL_MS, NODE_TIMEOUT_MS } from './replica.interface.js';

const KEYS = ['a', 'b', 'c'] as const;
const LINES = 3;

const OPS = { short: 6, pair: 3, once: 3, cancelled: 3, minHold: 2, kept: 2, byHand: 4, maxHold: 1 } as const;

interface Wish {
  readonly keys: readonly string[];
  readonly ttlMs: number;
  readonly waitMs: number;
  readonly minHoldMs?: number;
}

/** What a replica does all the time: several lines of work, each taking one lock after the other. */
export class Workload {
  readonly #random: Random;
  #over = false;
  #lines: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly service: RedlockService,
    private readonly recorder: Recorder,
    seed: number,
  ) {
    this.#random = new Random(seed);
  }

  /** The longest ttl comes first: from then on the guard knows how long a quarantine must be. */
  async start(): Promise<void> {
    const key = `warm-up of ${this.recorder.client}`;
    await this.#with({ keys: [key], ttlMs: LONGEST_TTL_MS, waitMs: 2_000 }, 0, {});
    this.#lines = Promise.all(Array.from({ length: LINES }, () => this.#line()));
  }

  async stop(): Promise<void> {
    this.#over = true;
    await this.#lines;
  }

  async #line(): Promise<void> {
    while (!this.#over) {
      await this.#next();
      await pass(this.#random.gapMs(120));
    }
  }

  #next(): Promise<void> {
    const key = KEYS[this.#random.below(KEYS.length)]!;
    const ttlMs = Math.round(this.#random.between(300, LONGEST_TTL_MS));
    const wish = { keys: [key], ttlMs, waitMs: Math.round(this.#random.between(100, 3_000)) };
    const shortly = this.#random.between(1, 60);
    const op = this.#random.pick(OPS);
    switch (op) {
      case 'short':
        return this.#with(wish, shortly, {});
      case 'pair':
        return this.#with({ ...wish, keys: ['a', 'b'] }, shortly, {});
      case 'once':
        return this.#once(wish, shortly);
      case 'cancelled':
        return this.#cancelled(wish, shortly, this.#random.between(5, 400));
      case 'minHold':
        return this.#with(
          { ...wish, minHoldMs: Math.min(ttlMs, Math.round(this.#random.between(50, 400))) },
          shortly,
          {},
        );
      case 'kept':
        // Several ttls long, by extension.
        return this.#with({ ...wish, keys: ['kept'], ttlMs: 600 }, this.#random.between(1_000, 4_000), {});
      case 'maxHold':
        return this.#with(wish, this.#random.between(50, 600), { maxHold: 300 });
      case 'byHand':
        return this.#byHand({ ...wish, ttlMs: Math.round(this.#random.between(300, 800)) });
      default:
        return op satisfies never;
    }
  }

  /** Under `withLock`, which extends the lock, gives it back, and says so when it was lost. */
  async #with(wish: Wish, takesMs: number, options: AcquireOptions): Promise<void> {
    const { keys, ttlMs, waitMs: wait, minHoldMs } = wish;
    const log = this.#ask(wish);
    const all = { ...options, wait, ...(minHoldMs !== undefined && { minHold: minHoldMs }) };
    try {
      await this.service.withLock([...keys], ttlMs, (lock) => work(lock, log, takesMs), all);
    } catch (error) {
      log.refuse(error);
    }
    log.finish();
  }

  /** One try without a wait. */
  async #once(wish: Wish, takesMs: number): Promise<void> {
    const log = this.#ask({ ...wish, waitMs: 0 });
    try {
      const lock = await this.service.tryAcquire([...wish.keys], wish.ttlMs);
      if (lock === null) return log.refuse('LOCK_CONTENDED');
      await this.#hold(lock, log, takesMs);
    } catch (error) {
      log.refuse(error);
    }
  }

  /** A wait without a limit, which a signal ends. */
  async #cancelled(wish: Wish, takesMs: number, cancelAfterMs: number): Promise<void> {
    const controller = new AbortController();
    const log = this.#ask({ ...wish, waitMs: null });
    const timer = setTimeout(() => {
      log.cancel();
      controller.abort(new Cancellation('enough of waiting'));
    }, cancelAfterMs);
    try {
      const options = { wait: Infinity, signal: controller.signal };
      const lock = await this.service.acquire([...wish.keys], wish.ttlMs, options);
      await this.#hold(lock, log, takesMs);
    } catch (error) {
      log.refuse(error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Extended now and then, and sometimes not in time. */
  async #byHand(wish: Wish): Promise<void> {
    const log = this.#ask(wish);
    try {
      const lock = await this.service.acquire([...wish.keys], wish.ttlMs, { wait: wish.waitMs });
      log.grant(lock);
      while (this.#random.chance(0.6)) {
        await pass(this.#random.between(10, wish.ttlMs * 0.8));
        if (!lock.isHeld()) break;
        const ttlMs = Math.round(this.#random.between(300, 800));
        const settled = log.extend(ttlMs);
        await settle(lock.extend(ttlMs), settled);
      }
      await releaseAndHandOver(lock, log);
    } catch (error) {
      log.refuse(error);
    }
  }

  #ask({ keys, ttlMs, waitMs, minHoldMs }: Omit<Wish, 'waitMs'> & { readonly waitMs: number | null }): AttemptLog {
    const more = minHoldMs === undefined ? {} : { minHoldMs };
    return this.recorder.ask({ keys, ttlMs, waitMs, nodeTimeoutMs: NODE_TIMEOUT_MS, ...more });
  }

  async #hold(lock: Lock, log: AttemptLog, takesMs: number): Promise<void> {
    log.grant(lock);
    await pass(takesMs);
    await releaseAndHandOver(lock, log);
  }
}

/** Work that heeds the signal of its lock. */
async function work(lock: Lock, log: AttemptLog, takesMs: number): Promise<void> {
  log.grant(lock);
  log.begin();
  await pass(takesMs, undefined, { signal: lock.signal }).catch(() => undefined);
  log.end();
  log.release();
}

async function releaseAndHandOver(lock: Lock, log: AttemptLog): Promise<void> {
  if (!log.release()) return;
  await settle(lock.release(), (code) => log.finish(code));
}

async function settle(call: Promise<void>, tell: (code?: string) => void): Promise<void> {
  await call.then(
    () => tell(),
    (error: unknown) => tell(codeOf(error)),
  );
}
