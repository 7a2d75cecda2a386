import { AsyncLocalStorage } from 'node:async_hooks';
import { Turns } from '../core/turns.js';
import type { Lock } from '../interfaces/index.js';

/**
 * Work under a lock, as its async context and everything that it starts sees it.
 *
 * A timer or an event keeps the context that it was made in, for as long as it lives. So a frame whose work has ended refers to
 * nothing any more, and frames link to the nearest one whose work goes on: a chain of timers would otherwise keep all locks that
 * there ever were.
 */
export interface Frame {
  /** `undefined` once the work has ended. */
  lock: Lock | undefined;
  outer: Frame | undefined;
  /** Work that runs under the same lock because it asked for that. */
  readonly nested: Turns;
}

/** A registered symbol: one process may load this package twice, as ES module and as CommonJS, and both copies must see the same lock. */
const CURRENT_LOCK = Symbol.for('redlock-nestjs:current-lock');

const shared = globalThis as { [CURRENT_LOCK]?: AsyncLocalStorage<Frame> };
const storage = (shared[CURRENT_LOCK] ??= new AsyncLocalStorage<Frame>());

/**
 * The lock that this async context runs under: within the work of `withLock` or a `@WithLock` method, in whatever it calls, and in
 * what it has started (timers, events) for as long as the work itself goes on. It stays the same when the lock is lost in the middle
 * of the work, so that `currentLock()?.assertHeld()` makes sure, deep down, that the lock is still held.
 *
 * When the work has ended it is the lock around that work, if there is one whose work goes on; `undefined` otherwise, and anywhere
 * else: a timer that fires later sees no lock that is over.
 *
 * @publicApi
 */
export function currentLock(): Lock | undefined {
  return frameAround()?.lock;
}

type OpenFrame = Frame & { lock: Lock };

/** The innermost work under a lock that this async context belongs to. */
export function frameAround(): OpenFrame | undefined {
  return nearestOpen(storage.getStore());
}

/** Work around this async context, and those keys of its lock that are asked for once more. */
export interface HeldAround<L extends Lock> {
  readonly frame: Frame;
  readonly lock: L;
  readonly keys: readonly string[];
}

/** The innermost work around this async context whose lock is one of ours, and has one of the keys. */
export function findHeldAround<L extends Lock>(
  keys: readonly string[],
  ours: (lock: Lock) => L | undefined,
): HeldAround<L> | undefined {
  for (let frame = frameAround(); frame !== undefined; frame = nearestOpen(frame.outer)) {
    const lock = ours(frame.lock);
    const held = lock?.keys.filter((each) => keys.includes(each)) ?? [];
    if (lock !== undefined && held.length > 0) return { frame, lock, keys: held };
  }
  return undefined;
}

/** Runs the work under the lock. Settles when what runs nested in it has ended, too, also where the work did not wait for that. */
export async function runUnder<T>(lock: Lock, work: () => T | PromiseLike<T>): Promise<T> {
  const frame: Frame = { lock, outer: frameAround(), nested: new Turns() };
  for (let each = frame.outer; each !== undefined; each = each.outer) each.outer = nearestOpen(each.outer);
  try {
    return await storage.run(frame, work);
  } finally {
    // What begins between the last look and the end would run under a lock that is being given back.
    while (frame.nested.isBusy) await frame.nested.settle();
    frame.lock = undefined;
    frame.outer = nearestOpen(frame.outer);
  }
}

function nearestOpen(frame: Frame | undefined): OpenFrame | undefined {
  let open = frame;
  while (open !== undefined && open.lock === undefined) open = open.outer;
  return open as OpenFrame | undefined;
}
