import { runWithLock } from '../../lib/core/run-with-lock.js';
import type { LockHandle } from '../../lib/core/lock.js';
import type { AcquireOptions } from '../../lib/interfaces/index.js';
import { calledBy } from '../../lib/client/options/acquire-options.js';
import type { RunTrigger, TickOfRun } from '../history/events.js';
import type { Chance } from './chance.js';
import { JOB } from './plan.js';
import { CANCELLED } from './recorder.js';
import type { Member, World } from './world.js';

/** What a client does with one lock. */
export interface Operation {
  readonly keys: readonly string[];
  readonly ttlMs: number;
  readonly options: AcquireOptions;
  /** null: until it is cancelled. */
  readonly waitMs: number | null;
  readonly workMs: number;
  readonly tick?: TickOfRun;
  /** What has made it, where it is a run of the job. */
  readonly trigger?: RunTrigger;
  /** The work throws. */
  readonly fails?: boolean;
  /** The process is killed in the middle of the work. */
  readonly isKilled?: boolean;
}

/** One client of a process: it takes locks, does something, and gives them back. */
export async function runClient(world: World, member: Member, operations: number, chance: Chance): Promise<void> {
  const { plan } = world;
  // Until it has connected.
  await sleep(member, 10 * plan.furthestMs);
  for (let operation = 0; operation < operations && member.status === 'alive'; operation++) {
    await sleep(member, chance.happens(0.3) ? 0 : chance.ratio(1, plan.ttlMs));
    await run(world, member, draw(world, chance), chance);
  }
}

/** All clients ask for the same at the same instant, once, as replicas do: one of them must get it. */
export async function burst(world: World, member: Member, atMs: number, chance: Chance): Promise<void> {
  const { plan, kernel } = world;
  const { ttlMs } = plan;
  const apartMs = chance.happens(0.5) ? 0 : plan.furthestMs * chance.next();
  await sleep(member, member.process.machine.toOwnMs(atMs - kernel.nowMs() + apartMs));
  const workMs = chance.ratio(1, ttlMs);
  await run(world, member, { keys: ['burst'], ttlMs, waitMs: 0, workMs, options: { wait: 0 } }, chance);
}

function draw({ plan }: World, chance: Chance): Operation {
  const { ttlMs: longestMs } = plan;
  const ttlMs = chance.happens(0.5) ? longestMs : Math.ceil(chance.ratio(longestMs / 4, longestMs));
  const several = plan.keys.length > 1 && chance.happens(0.4);
  const keys = several ? [...plan.keys].sort(() => chance.next() - 0.5).slice(0, 2) : [chance.pick(plan.keys)];
  const waitMs = chance.happens(0.35) ? 0 : chance.happens(0.1) ? null : Math.round(chance.ratio(5, 3 * longestMs));
  return {
    keys,
    ttlMs,
    waitMs,
    workMs: chance.happens(0.3) ? chance.ratio(0.1, 5) : chance.ratio(1, 1.6 * ttlMs),
    options: {
      wait: waitMs ?? Infinity,
      ...(chance.happens(0.05) && { maxRetries: chance.whole(0, 3) }),
      ...(chance.happens(0.15) && { minHold: Math.min(ttlMs, Math.round(chance.ratio(5, longestMs))) }),
      ...(chance.happens(0.1) && { maxHold: Math.round(chance.ratio(longestMs / 2, 2 * longestMs)) }),
      ...(chance.happens(0.04) && { fencing: false }),
    },
  };
}

/** Returns why it was refused, where a reason was given. */
export async function run(
  world: World,
  member: Member,
  operation: Operation,
  chance: Chance,
  isJob = false,
): Promise<string | undefined> {
  const { recorder, plan } = world;
  const { machine, locks } = member.process;
  const { keys, ttlMs, waitMs, options, tick, trigger } = operation;
  const where = isJob || chance.happens(0.5) ? 'withLock' : 'acquire';
  const cancel = new AbortController();
  const hasSignal = waitMs === null || (!isJob && chance.happens(0.08));
  const attempt = recorder.asked({
    ...{ client: machine.name, keys, ttlMs, waitMs, nodeTimeoutMs: plan.options.nodeTimeout },
    ...(options.maxRetries !== undefined && { maxRetries: options.maxRetries }),
    ...(options.minHold !== undefined && { minHoldMs: Number(options.minHold) }),
    ...(tick && { tick }),
    ...(trigger && { job: JOB, trigger }),
  });
  const all = { ...options, ...(hasSignal && { signal: cancel.signal }) };
  const chosen = trigger === undefined ? all : calledBy({ method: 'Jobs.run', job: JOB, trigger }, all);
  const asking = locks.acquire([...keys], ttlMs, chosen, where);
  let settled = false;
  const cancelTimer = hasSignal
    ? machine.after(chance.ratio(1, 2 * plan.ttlMs), () => {
        if (settled) return;
        recorder.add({ kind: 'cancelled', atMs: recorder.nowMs(), attempt });
        cancel.abort(CANCELLED);
      })
    : () => undefined;
  let lock: LockHandle;
  try {
    lock = await asking;
  } catch (error) {
    return recorder.refused(attempt, error);
  } finally {
    settled = true;
    cancelTimer();
  }
  recorder.granted(attempt, lock, machine, (options.fencing ?? plan.options.fencing) !== false);
  if (where === 'withLock') await runHeld(world, member, attempt, lock, operation);
  else await runByHand(world, member, attempt, lock, operation, chance);
  return undefined;
}

/** As the service's `withLock` does it. */
async function runHeld(
  world: World,
  member: Member,
  attempt: number,
  lock: LockHandle,
  { workMs, fails, isKilled }: Operation,
): Promise<void> {
  const { recorder } = world;
  const { machine } = member.process;
  const went = { began: false };
  let failure: unknown;
  await runWithLock(
    lock,
    async () => {
      went.began = true;
      recorder.add({ kind: 'began', atMs: recorder.nowMs(), attempt });
      if (isKilled) killLater(world, member, workMs / 2);
      await sleep(member, workMs);
      recorder.add({ kind: 'ended', atMs: recorder.nowMs(), attempt, ...(fails && { failed: true }) });
      recorder.releasing(attempt, lock, machine);
      if (fails) throw new Error('out of paper');
    },
    (_, error) => {
      failure = error;
    },
  ).catch(() => undefined);
  if (!went.began) recorder.releasing(attempt, lock, machine);
  recorder.released(attempt, failure);
}

function killLater(world: World, member: Member, delayMs: number): void {
  world.kernel.after(delayMs, () => {
    if (world.alive.length > 1 && member.status === 'alive' && member.process.machine.state === 'running') {
      world.kill(member, false);
    }
  });
}

async function runByHand(
  world: World,
  member: Member,
  attempt: number,
  lock: LockHandle,
  { workMs, ttlMs }: Operation,
  chance: Chance,
): Promise<void> {
  const { recorder, plan } = world;
  // Where what was sent last may arrive first, a ttl that was made shorter for a moment may come back.
  const shortenMs = (drawnMs: number): number => (plan.profile === 'reordering' ? ttlMs : Math.ceil(drawnMs));
  const extensions = chance.happens(0.4) ? chance.whole(1, 2) : 0;
  for (let each = 0; each < extensions; each++) {
    await sleep(member, chance.happens(0.3) ? 0 : workMs / 2);
    if (!lock.isHeld()) break;
    const nextMs = chance.happens(0.5) ? ttlMs : shortenMs(chance.ratio(plan.ttlMs / 8, plan.ttlMs));
    // Some do not wait for one extension before they ask for the next.
    const extending = recorder.extend(attempt, lock, nextMs);
    if (chance.happens(0.2)) await recorder.extend(attempt, lock, shortenMs(chance.ratio(plan.ttlMs / 8, plan.ttlMs)));
    await extending;
  }
  await sleep(member, workMs / (extensions + 1));
  // Some forget to give it back.
  if (chance.happens(0.25)) {
    await sleep(member, 1.3 * plan.ttlMs);
    return;
  }
  recorder.releasing(attempt, lock, member.process.machine);
  await lock.release().then(
    () => {
      recorder.released(attempt);
    },
    (error: unknown) => {
      recorder.released(attempt, error);
    },
  );
}

export function sleep({ process }: Member, ms: number): Promise<void> {
  return new Promise((resolve) => {
    process.machine.after(ms, resolve);
  });
}
