import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { check } from '../../history/check.js';
import type { About } from '../../history/events.js';
import type { Verdict } from '../../history/verdict.js';
import { shiftLibrary, type ShiftLibrary } from '../../support/clock/clock-shift.js';
import { Reaper } from '../../support/servers/reaper.js';
import { assemble, type Assembled } from '../assemble/assemble.js';
import { Axis } from '../shared-clock.js';
import { Diary } from '../history-writer.js';
import type { ChaosOptions } from '../options.js';
import { DRIFT_FACTOR, LONGEST_TTL_MS, NODE_TIMEOUT_MS, TICK_WAIT_MS } from '../replica/replica.interface.js';
import { Absences } from './absences.js';
import { Links } from './links.js';
import { Replicas, type Life } from './replicas.js';
import { Servers } from './servers.js';
import { sweep } from './key-scan.js';

/** How far apart the replicas' clocks may be, as far as they know and as far as they are. */
export const CLOCK_TOLERANCE_MS = 3_000;

/** A server that has forgotten something is not trusted for as long as a tick's claim matters, and that is longest. */
export const GUARD_MS = (CLOCK_TOLERANCE_MS + TICK_WAIT_MS + 2 * NODE_TIMEOUT_MS) * 1.01 + 500;

/** Reconnected within half a second, a failed release tried again within one, and some for a busy machine. */
export const GRACE_MS = 2_500;

/** Two timers in a row, each as late as it may be without counting as a process that stood still, and some to spare. */
const TOLERANCE_MS = 150;

/**
 * Each process hands the lock on to its own up to five times in a row. As much again for those who ask once, do not stand
 * in line, and may be lucky.
 */
const MOST_OVERTAKES_A_REPLICA = 2 * 5;

/** The longest pause between two questions, and two tries, on a busy machine. */
const MOST_IDLE_MS = 1000 + 2 * NODE_TIMEOUT_MS + 1000;

/** As in lib/core/wait-queue.ts. */
const LONGEST_COURTESY_MS = 250;

/** Half of the shortest time that a server has to answer. What is shorter is a slow network to everybody. */
const RELAYS_STILL_MS = 100;

const SWEEP_EVERY_MS = 2_000;

export interface StageOptions extends Pick<ChaosOptions, 'servers' | 'replicas' | 'seed' | 'restartGuard' | 'out'> {
  /** How wrong each server's clock is at the beginning. Default: not at all. */
  readonly clocksMs?: readonly number[];
  /** Whether the replicas lock by themselves, and have a schedule. */
  readonly busy: boolean;
}

/** All that takes part in a run. */
export interface Stage {
  readonly axis: Axis;
  readonly diary: Diary;
  readonly servers: Servers;
  readonly links: Links;
  readonly replicas: Replicas;
}

/** What a run came to. */
export interface Outcome extends Assembled {
  readonly verdicts: readonly Verdict[];
  readonly lives: readonly Life[];
  /** A process that ended by itself, for one. None is allowed. */
  readonly troubles: readonly string[];
}

/** Sets up servers and replicas, lets `play` happen, puts everything right again, and has the history of it judged. */
export async function onStage(options: StageOptions, play: (stage: Stage) => Promise<void>): Promise<Outcome> {
  const folder = join(options.out, 'diaries');
  // Of a run before this one, with the same seed.
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const library = await shiftLibrary();
  const reaper = await Reaper.hire();
  const axis = new Axis();
  const wallAtZeroMs = Date.now() - axis.nowMs();
  const absences = new Absences(axis);
  const own = join(folder, 'director.jsonl');
  // All relays are in this process: while it stands still, nobody reaches anybody.
  const onStill = (fromMs: number, toMs: number): void => {
    for (let server = 0; server < options.servers; server++) {
      absences.add({ server, why: 'the relays stood still', fromMs, toMs });
    }
  };
  const diary = new Diary(own, axis, onStill, RELAYS_STILL_MS);
  const { servers: count, clocksMs = Array.from({ length: count }, () => 0), busy } = options;
  try {
    await using servers = await Servers.start(clocksMs, library, folder, [axis, diary, absences]);
    await using links = await Links.open(options.replicas, servers.all, absences);
    await using replicas = crew(options, folder, library, { axis, links, reaper });
    await using sweeper = new Sweeper(servers, axis, diary);
    await play({ axis, diary, servers, links, replicas });
    await servers.mend();
    await links.mendAll();
    // Everybody is connected again, and what is to be undone anywhere is undone.
    if (busy) await pass(GRACE_MS + TOLERANCE_MS);
    await replicas.stopAll();
    if (busy) await pass(GRACE_MS + LONGEST_TTL_MS);
    await sweeper.finish();
    const endAtMs = axis.nowMs();
    diary.close();

    const { lives, troubles } = replicas;
    const remains = { about: aboutOf(options), lives, absences: absences.all, losses: servers.losses, own };
    const guardMs = options.restartGuard === 'off' ? 0 : GUARD_MS;
    const assembled = assemble({ ...remains, guardMs, wallAtZeroMs, endAtMs, ticking: busy });
    return { ...assembled, verdicts: check(assembled.history), lives, troubles };
  } finally {
    await reaper.close();
  }
}

function aboutOf({ servers, replicas }: StageOptions): About {
  return {
    servers,
    driftFactor: DRIFT_FACTOR,
    toleranceMs: TOLERANCE_MS,
    graceMs: GRACE_MS,
    mostOvertakes: MOST_OVERTAKES_A_REPLICA * replicas,
    mostIdleMs: MOST_IDLE_MS,
    courtesyMs: LONGEST_COURTESY_MS,
  };
}

function crew(
  options: StageOptions,
  folder: string,
  library: ShiftLibrary,
  { axis, links, reaper }: { readonly axis: Axis; readonly links: Links; readonly reaper: Reaper },
): Replicas {
  return new Replicas(options.replicas, {
    ...options,
    clockToleranceMs: CLOCK_TOLERANCE_MS,
    urlsOf: (replica) => links.urlsOf(replica),
    axis,
    folder,
    library,
    onBorn: (pid) => {
      // A stopped process could not end by itself, should this one be killed.
      reaper.input.write(`born ${pid}\n`);
    },
  });
}

/** Looks from time to time at what is on the servers that can be asked. */
class Sweeper implements AsyncDisposable {
  readonly #timer: NodeJS.Timeout;
  #last: Promise<void> = Promise.resolve();

  constructor(
    private readonly servers: Servers,
    private readonly axis: Axis,
    private readonly diary: Diary,
  ) {
    this.#timer = setInterval(() => {
      this.#sweep();
    }, SWEEP_EVERY_MS);
  }

  /** A last look. */
  async finish(): Promise<void> {
    this.#sweep();
    await this[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#last;
  }

  #sweep(): void {
    this.#last = this.#last.then(async () => {
      for (const [index, server] of this.servers.all.entries()) {
        if (this.servers.isUp(index)) await sweep(server, index, this.axis, this.diary);
      }
    });
  }
}

function pass(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
