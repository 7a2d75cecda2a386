import type { JobRecord } from '../../lib/client/jobs/job-record.js';
import type { RunTrigger, TickOfRun } from '../history/events.js';
import type { Chance } from './chance.js';
import { run, sleep, type Operation } from './clients.js';
import { EPOCH_MS } from './model-server.js';
import { JOB } from './plan.js';
import { TICK_MS, type Member, type World } from './world.js';

/** Counts the work of a process for as long as it goes on. */
export type Track = (member: Member, work: Promise<unknown>) => void;

/** The run of a tick, as the decorator asks for it. */
export async function runTick(
  world: World,
  member: Member,
  tick: TickOfRun,
  ttlMs: number,
  chance: Chance,
): Promise<void> {
  const waitMs = Math.min(1000, tick.periodMs / 4);
  const workMs = chance.happens(0.6) ? chance.ratio(0.5, 20) : chance.ratio(20, 1500);
  const more = chance.aside(12);
  const operation: Operation = {
    ...{ keys: [JOB], ttlMs, waitMs, workMs, options: { wait: waitMs, tick }, tick, trigger: 'schedule' },
    ...(world.plan.steered && endOf(more)),
  };
  const refused = await run(world, member, operation, chance, true);
  if (!world.plan.steered || member.status !== 'alive') return;
  if (refused === 'locked' || refused === 'already-ran') await runAgain(world, member, tick, more);
  else if (more.happens(0.2)) await world.recorder.reading(member.process);
}

/** What one replica does with the job beside firing its ticks. Also long after the last one, when the claims of ticks are over. */
export async function steerJob(world: World, member: Member, track: Track, chance: Chance): Promise<void> {
  const { plan } = world;
  await sleep(member, 10 * plan.furthestMs);
  if (chance.happens(0.4)) await catchUp(world, member, chance);
  const calls = chance.whole(1, 4);
  for (let call = 0; call < calls; call++) {
    await sleep(member, chance.happens(0.25) ? chance.ratio(1000, 6000) : chance.ratio(1, plan.lengthMs / 2));
    if (member.status !== 'alive') return;
    switch (chance.weighted({ pause: 5, resume: 1, cover: 1, read: 3, manual: 2, catchUp: 4, again: 2 })) {
      case 'pause':
        await pauseForAWhile(world, member, track, chance);
        break;
      case 'resume':
        await world.recorder.steering(member.process, 'resume');
        break;
      case 'cover':
        world.recorder.covering(member.process, newestTick(world, member)?.atMs ?? EPOCH_MS);
        break;
      case 'read':
        await world.recorder.reading(member.process);
        break;
      case 'manual':
        await runJob(world, member, 'manual', undefined, chance);
        break;
      case 'catchUp':
        await catchUp(world, member, chance);
        break;
      default:
        await runAgainBlindly(world, member, newestTick(world, member), chance);
    }
  }
  if (chance.happens(0.5)) await world.recorder.reading(member.process);
}

/** Others try at once whether it is paused, and whether it is not any more. */
async function pauseForAWhile(world: World, member: Member, track: Track, chance: Chance): Promise<void> {
  const { recorder, plan } = world;
  const hasTime = plan.profile !== 'wild clocks' && chance.happens(0.5);
  const lengthMs = Math.round(chance.ratio(20, 2000));
  await recorder.steering(member.process, 'pause', hasTime ? lengthMs : undefined);
  tryOut(world, track, chance);
  await sleep(member, chance.happens(0.5) ? lengthMs : chance.ratio(1, lengthMs));
  if (hasTime && chance.happens(0.6)) tryOut(world, track, chance);
  else if (chance.happens(0.8)) {
    await recorder.steering(member.process, 'resume');
    tryOut(world, track, chance);
  }
}

function tryOut(world: World, track: Track, chance: Chance): void {
  const tries = chance.whole(0, 2);
  for (let each = 0; each < tries; each++) {
    const awake = world.alive.filter(({ process }) => process.machine.state === 'running');
    if (awake.length === 0) return;
    const other = chance.pick(awake);
    const own = chance.fork();
    if (own.happens(0.4)) track(other, world.recorder.reading(other.process));
    else if (own.happens(0.5)) track(other, runJob(world, other, 'manual', undefined, own));
    else track(other, catchUp(world, other, own));
  }
}

/** What all replicas do when they hear a majority again: each makes up for the tick that all have missed, and many begin at once. */
export async function makeUp(world: World, member: Member, tickAtMs: number, chance: Chance): Promise<void> {
  const apartMs = chance.happens(0.6) ? world.plan.furthestMs * chance.next() : chance.ratio(0.1, 300);
  const lateMs = TICK_MS / 4 + apartMs;
  await sleep(member, member.process.machine.toOwnMs(tickAtMs + lateMs - world.wallMs(member)));
  if (member.status !== 'alive' || chance.happens(0.3)) return;
  await runJob(world, member, 'catch-up', { atMs: tickAtMs, periodMs: TICK_MS }, chance);
}

/** The run of a tick that no replica ran, as far as this one knows; some go by what they have known before. */
async function catchUp(world: World, member: Member, chance: Chance): Promise<void> {
  const tick = newestTick(world, member, chance.happens(0.25) ? 1 : 0);
  if (tick === undefined) return;
  const isBlind = chance.happens(0.5);
  const record = isBlind ? undefined : await world.recorder.reading(member.process);
  if (!isBlind && (record === undefined || record.coveredMs >= tick.atMs || member.status !== 'alive')) return;
  await runJob(world, member, 'catch-up', tick, chance);
}

/**
 * A replica that was refused a tick looks after a while whether its run has died, and runs it again then. Some believe so without
 * looking: what they have read may be old.
 */
async function runAgain(world: World, member: Member, tick: TickOfRun, chance: Chance): Promise<void> {
  const { ttlMs } = world.plan;
  for (let look = 0; look < 3; look++) {
    await sleep(member, chance.ratio(ttlMs / 4, 1.5 * ttlMs));
    if (member.status !== 'alive') return;
    if (chance.happens(0.15)) {
      await runAgainBlindly(world, member, tick, chance);
    } else {
      const record = await world.recorder.reading(member.process);
      if (record === undefined) continue;
      if (!hasDied(record, tick)) {
        if (record.runs.some(({ tickMs, outcome }) => tickMs === tick.atMs && outcome === 'running')) continue;
        return;
      }
      await runJob(world, member, 'again', tick, chance);
    }
  }
}

/**
 * What it has read may be old, but it has read of a run that had begun. The tick of a second run stays claimed, whatever becomes of it,
 * so a tick that had not begun would run nowhere.
 */
async function runAgainBlindly(
  world: World,
  member: Member,
  tick: TickOfRun | undefined,
  chance: Chance,
): Promise<void> {
  if (tick !== undefined && mayHaveBegun(world, tick)) await runJob(world, member, 'again', tick, chance);
}

function mayHaveBegun({ recorder: { events } }: World, { atMs }: TickOfRun): boolean {
  const granted = new Set(events.map((event) => (event.kind === 'granted' ? event.attempt : undefined)));
  const killed = new Set(events.map((event) => (event.kind === 'killed' ? event.client : undefined)));
  return events.some(
    (event) =>
      event.kind === 'asked' &&
      event.tick?.atMs === atMs &&
      event.trigger !== 'again' &&
      (granted.has(event.attempt) || killed.has(event.client)),
  );
}

function hasDied({ runs }: JobRecord, { atMs }: TickOfRun): boolean {
  const own = runs.filter(({ tickMs }) => tickMs === atMs);
  return own.length > 0 && own.every(({ outcome, trigger }) => outcome === 'died' && trigger !== 'again');
}

async function runJob(
  world: World,
  member: Member,
  trigger: RunTrigger,
  tick: TickOfRun | undefined,
  chance: Chance,
): Promise<void> {
  if (tick === undefined && trigger !== 'manual') return;
  const { ttlMs } = world.plan;
  const workMs = chance.happens(0.6) ? chance.ratio(0.5, 20) : chance.ratio(20, 800);
  // A tick is tried for a while where no majority of the servers can be reached.
  const waitMs = tick === undefined ? 0 : tick.periodMs / 4;
  const operation: Operation = {
    ...{ keys: [JOB], ttlMs: Math.ceil(chance.ratio(ttlMs / 2, ttlMs)), waitMs, workMs, trigger },
    ...{ options: { wait: 0, ...(tick && { tick }) }, ...(tick && { tick }), ...endOf(chance) },
  };
  await run(world, member, operation, chance, true);
  if (member.status === 'alive' && chance.happens(0.2)) await world.recorder.reading(member.process);
}

/** How a run ends: some fail, and of some the process is killed in the middle. */
function endOf(chance: Chance): Pick<Operation, 'fails' | 'isKilled'> {
  return { fails: chance.happens(0.15), isKilled: chance.happens(0.12) };
}

/** The one that is due by the clock of this replica, or so many before it. */
function newestTick(world: World, member: Member, before = 0): TickOfRun | undefined {
  const { firstTick, plan } = world;
  const due = Math.floor((world.wallMs(member) - EPOCH_MS) / TICK_MS);
  const number = Math.min(due, firstTick + plan.ticks - 1) - before;
  return number < firstTick ? undefined : { atMs: EPOCH_MS + number * TICK_MS, periodMs: TICK_MS };
}
