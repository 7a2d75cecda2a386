import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { check } from '../../history/check.js';
import type { About } from '../../history/events.js';
import type { Verdict } from '../../history/verdict.js';
import { shiftLibrary, type ShiftLibrary } from '../../support/clock/clock-shift.js';
import { Reaper } from '../../support/servers/reaper.js';
import { assemble, type Assembled } from '../assemble/assemble.js';
import { SharedClock } from '../shared-clock.js';
import { HistoryWriter } from '../history-writer.js';
import type { ChaosOptions } from '../options.js';
import { DRIFT_FACTOR, LONGEST_TTL_MS, NODE_TIMEOUT_MS, TICK_WAIT_MS } from '../replica/replica.interface.js';
import { Absences } from './absences.js';
import { Links } from './links.js';
import { Replicas, type Life } from './replicas.js';
import { Servers } from './servers.js';
import { scanKeys } from './key-scan.js';

/** How far apart the replicas' clocks may be, as far as they know and as far as they are. */
export const CLOCK_TOLERANCE_MS = 3_000;

/** A server that has lost its data is in quarantine for as long as the claim of a tick lives, which is the longest. */
export const GUARD_MS = (CLOCK_TOLERANCE_MS + TICK_WAIT_MS + 2 * NODE_TIMEOUT_MS) * 1.01 + 500;

/** Half a second to reconnect, one to retry a failed release, and a margin for a busy machine. */
export const GRACE_MS = 2_500;

/** Two timers in a row, each as late as it may be without counting as a paused process, and a margin. */
const TOLERANCE_MS = 150;

/**
 * Each process hands the lock over within itself up to five times in a row. The same number again is for calls that ask
 * once: they do not queue, and may get the lock first.
 */
const MOST_OVERTAKES_A_REPLICA = 2 * 5;

/** The longest pause between two questions, and two tries, on a busy machine. */
const MOST_IDLE_MS = 1000 + 2 * NODE_TIMEOUT_MS + 1000;

/** As in lib/core/wait-queue.ts. */
const LONGEST_COURTESY_MS = 250;

/** Half of the shortest time that a server has to answer. A shorter pause is a slow network for every process. */
const RELAYS_STILL_MS = 100;

const SCAN_EVERY_MS = 2_000;

export interface EnvironmentOptions extends Pick<
  ChaosOptions,
  'servers' | 'replicas' | 'seed' | 'restartGuard' | 'out'
> {
  /** How wrong each server's clock is at the beginning. Default: not at all. */
  readonly clocksMs?: readonly number[];
  /** Whether the replicas lock without a command, and have a schedule. */
  readonly busy: boolean;
}

/** Servers, links and replicas of a run, with its clock and its history. */
export interface Environment {
  readonly sharedClock: SharedClock;
  readonly writer: HistoryWriter;
  readonly servers: Servers;
  readonly links: Links;
  readonly replicas: Replicas;
}

/** The result of a run. */
export interface Outcome extends Assembled {
  readonly verdicts: readonly Verdict[];
  readonly lives: readonly Life[];
  /** For example a process that ended unexpectedly. None is allowed. */
  readonly troubles: readonly string[];
}

/** Starts servers and replicas, runs `scenario`, ends every fault, and lets the checkers judge the history. */
export async function runInEnvironment(
  options: EnvironmentOptions,
  scenario: (environment: Environment) => Promise<void>,
): Promise<Outcome> {
  const folder = join(options.out, 'histories');
  // Of an earlier run with the same seed.
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const library = await shiftLibrary();
  const reaper = await Reaper.hire();
  const sharedClock = new SharedClock();
  const wallAtZeroMs = Date.now() - sharedClock.nowMs();
  const absences = new Absences(sharedClock);
  const own = join(folder, 'nemesis.jsonl');
  // All relays are in this process: while it is paused, no replica reaches any server.
  const onStill = (fromMs: number, toMs: number): void => {
    for (let server = 0; server < options.servers; server++) {
      absences.add({ server, why: 'the relays were paused', fromMs, toMs });
    }
  };
  const writer = new HistoryWriter(own, sharedClock, onStill, RELAYS_STILL_MS);
  const { servers: count, clocksMs = Array.from({ length: count }, () => 0), busy } = options;
  try {
    await using servers = await Servers.start(clocksMs, library, folder, [sharedClock, writer, absences]);
    await using links = await Links.open(options.replicas, servers.all, absences);
    await using replicas = replicasOf(options, folder, library, { sharedClock, links, reaper });
    await using scanner = new KeyScanner(servers, sharedClock, writer);
    await scenario({ sharedClock, writer, servers, links, replicas });
    await servers.mend();
    await links.mendAll();
    // All replicas have connected again by then, and have delivered their undos.
    if (busy) await pass(GRACE_MS + TOLERANCE_MS);
    await replicas.stopAll();
    if (busy) await pass(GRACE_MS + LONGEST_TTL_MS);
    await scanner.finish();
    const endAtMs = sharedClock.nowMs();
    writer.close();

    const { lives, troubles } = replicas;
    const remains = { about: aboutOf(options), lives, absences: absences.all, losses: servers.losses, own };
    const quarantineMs = options.restartGuard === 'off' ? 0 : GUARD_MS;
    const assembled = assemble({ ...remains, quarantineMs, wallAtZeroMs, endAtMs, ticking: busy });
    return { ...assembled, verdicts: check(assembled.history), lives, troubles };
  } finally {
    await reaper.close();
  }
}

function aboutOf({ servers, replicas }: EnvironmentOptions): About {
  return {
    servers,
    driftFactor: DRIFT_FACTOR,
    toleranceMs: TOLERANCE_MS,
    graceMs: GRACE_MS,
    mostOvertakes: MOST_OVERTAKES_A_REPLICA * replicas,
    mostIdleMs: MOST_IDLE_MS,
    courtesyMs: LONGEST_COURTESY_MS,
    skewMs: CLOCK_TOLERANCE_MS,
  };
}

function replicasOf(
  options: EnvironmentOptions,
  folder: string,
  library: ShiftLibrary,
  { sharedClock, links, reaper }: { readonly sharedClock: SharedClock; readonly links: Links; readonly reaper: Reaper },
): Replicas {
  return new Replicas(options.replicas, {
    ...options,
    clockToleranceMs: CLOCK_TOLERANCE_MS,
    urlsOf: (replica) => links.urlsOf(replica),
    sharedClock,
    folder,
    library,
    onBorn: (pid) => {
      // A stopped process could not end by itself, should this one be killed.
      reaper.input.write(`born ${pid}\n`);
    },
  });
}

/** Scans from time to time the keys on the servers that are up. */
class KeyScanner implements AsyncDisposable {
  readonly #timer: NodeJS.Timeout;
  #last: Promise<void> = Promise.resolve();

  constructor(
    private readonly servers: Servers,
    private readonly sharedClock: SharedClock,
    private readonly writer: HistoryWriter,
  ) {
    this.#timer = setInterval(() => {
      this.#scan();
    }, SCAN_EVERY_MS);
  }

  /** Scans once more, and ends. */
  async finish(): Promise<void> {
    this.#scan();
    await this[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#last;
  }

  #scan(): void {
    this.#last = this.#last.then(async () => {
      for (const [index, server] of this.servers.all.entries()) {
        if (this.servers.isUp(index)) await scanKeys(server, index, this.sharedClock, this.writer);
      }
    });
  }
}

function pass(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
