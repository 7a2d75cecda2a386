import { ticksOf, type TickOf } from '../../lib/cron/tick.js';
import { cronTimeOf } from '../support/cron-times.js';
import { check } from '../history/check.js';
import type { History } from '../history/events.js';
import type { Verdict } from '../history/verdict.js';
import { Chance } from './chance.js';
import { runClient, burst, sleep } from './clients.js';
import { Saboteur } from './faults.js';
import { makeUp, runTick, steerJob, type Track } from './jobs.js';
import { EPOCH_MS } from './model-server.js';
import { JOB, planOf, type Plan } from './plan.js';
import { TICK_MS, World, type Member } from './world.js';

/** What came of one seed. */
export interface Outcome {
  readonly seed: number;
  readonly plan: Plan;
  readonly history: History;
  readonly verdicts: readonly Verdict[];
  /** What is wrong beside the verdicts: nothing moved any more, or somebody got an error that is none of ours. */
  readonly surprises: readonly string[];
  readonly coverage: ReadonlyMap<string, number>;
  readonly steps: number;
}

/** Nothing that is asked for in a schedule takes so long. */
const LIMIT_MS = 300_000;

/** The questions of one part of a second go to one compiled schedule, which remembers its last answer: calendars are slow. */
const PART_MS = 100;
const PARTS = 100;
let calendars: readonly TickOf[] | undefined;

function everySecond(): TickOf {
  const schedule = { cronTime: '* * * * * *', timeZone: 'UTC' };
  const parts = (calendars ??= Array.from({ length: PARTS }, () => ticksOf(cronTimeOf(schedule))));
  return (firedAtMs) => parts[Math.floor(firedAtMs / PART_MS) % PARTS]!(firedAtMs);
}

/** Plays the schedule of one seed, and judges it. The same seed plays the same schedule. */
export async function play(seed: number): Promise<Outcome> {
  const tickOf = everySecond();
  const chance = new Chance(seed);
  const plan = planOf(chance);
  const world = new World(plan, chance);
  const saboteur = new Saboteur(world, chance.fork());
  const surprises: string[] = [];
  let busy = 0;

  function track(member: Member, work: Promise<unknown>): void {
    busy++;
    member.busy++;
    const done = (): void => {
      member.busy--;
      if (member.status !== 'gone') busy--;
    };
    work.then(done, (error: unknown) => {
      surprises.push(`a client of ${member.process.name} failed: ${String(error)}`);
      done();
    });
  }
  world.onGone = (member) => {
    busy -= member.busy;
  };
  world.onStart = (member) => {
    for (let each = 0; each < plan.clientsInLine; each++) {
      track(member, runClient(world, member, plan.opsPerClient, chance.fork()));
    }
    for (let each = 1; each <= plan.bursts; each++) {
      const atMs = (plan.lengthMs * each) / 3;
      if (atMs > world.kernel.nowMs()) track(member, burst(world, member, atMs, chance.fork()));
    }
    if (plan.ticks > 0) track(member, fireTicks(world, member, tickOf, track, chance.fork()));
    if (plan.steered) track(member, steerJob(world, member, track, chance.aside(13)));
  };

  for (let each = 0; each < plan.clients; each++) world.onStart(world.start());
  if (plan.ticks > 0) announceTicks(world);
  saboteur.plan();

  const went = await world.kernel.run(() => busy === 0 && saboteur.isDone, LIMIT_MS);
  if (!went) surprises.push(`at ${world.kernel.nowMs()} nothing moved any more, and ${busy} were still at work`);
  if (!(await world.settle())) surprises.push('the servers were not trusted again in the end');
  const history = { about: world.about(), events: world.recorder.events };
  for (const event of history.events) {
    if ('code' in event && event.code?.startsWith('THROWN')) surprises.push(`${event.kind}: ${event.code}`);
  }
  const { coverage, kernel } = world;
  return { seed, plan, history, verdicts: check(history), surprises, coverage, steps: kernel.steps };
}

/** The timers of a cron job on one replica: by its own wall clock, a little late or, rarely, early. */
async function fireTicks(world: World, member: Member, tickOf: TickOf, track: Track, chance: Chance): Promise<void> {
  const { plan } = world;
  const ttlMs = Math.ceil(chance.ratio(plan.ttlMs / 2, plan.ttlMs));
  const early = chance.happens(0.3);
  const { firstTick } = world;
  let nextMs = EPOCH_MS + (firstTick - 1) * TICK_MS;
  for (;;) {
    nextMs = Math.max(nextMs + TICK_MS, Math.ceil(world.wallMs(member) / TICK_MS) * TICK_MS);
    const tickNumber = (nextMs - EPOCH_MS) / TICK_MS - firstTick;
    if (tickNumber >= plan.ticks) return;
    if (plan.missedTicks.includes(tickNumber)) {
      track(member, makeUp(world, member, nextMs, chance.aside(tickNumber)));
      continue;
    }
    const earlyMs = early ? 15 * chance.next() : 0;
    const lateMs = chance.happens(0.2) ? 30 * chance.next() : 0;
    const atMs = nextMs - earlyMs + lateMs;
    await sleep(member, member.process.machine.toOwnMs(atMs - world.wallMs(member)));
    if (member.status !== 'alive') return;
    const tick = tickOf(world.wallMs(member));
    track(member, runTick(world, member, tick, ttlMs, chance));
  }
}

/** For each tick, who is there to fire it. */
function announceTicks(world: World): void {
  const { plan, kernel, recorder, spreadMs, firstTick } = world;
  for (let number = firstTick; number < firstTick + plan.ticks; number++) {
    const atMs = number * TICK_MS - spreadMs;
    kernel.at(atMs, () => {
      const isMissed = plan.missedTicks.includes(number - firstTick);
      const replicas = isMissed ? [] : world.alive.map(({ process }) => process.name);
      const tickAtMs = EPOCH_MS + number * TICK_MS;
      recorder.add({ kind: 'due', atMs, keys: [JOB], tickAtMs, untilMs: number * TICK_MS + spreadMs, replicas });
    });
  }
}
