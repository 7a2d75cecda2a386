import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { check } from '../history/check.js';
import type { About } from '../history/events.js';
import type { Verdict } from '../history/verdict.js';
import { shiftLibrary } from '../support/clock/clock-shift.js';
import { Reaper } from '../support/servers/reaper.js';
import { assemble, type Assembled } from './assemble/assemble.js';
import { Axis } from './axis.js';
import { Diary } from './diary.js';
import type { ChaosOptions } from './options.js';
import { plan } from './plan.js';
import { LONGEST_TTL_MS, NODE_TIMEOUT_MS } from './replica/replica.interface.js';
import { Absences } from './stage/absences.js';
import { Director } from './stage/director.js';
import { Links } from './stage/links.js';
import { Replicas, type Life } from './stage/replicas.js';
import { Servers } from './stage/servers.js';
import { sweep } from './stage/sweep.js';

/** How far apart the replicas' clocks may be, as far as they know and as far as they are. */
const CLOCK_TOLERANCE_MS = 3_000;

/** A server that has forgotten something is not trusted for as long as a tick's claim matters, and that is longest. */
const GUARD_MS = (CLOCK_TOLERANCE_MS + 2 * NODE_TIMEOUT_MS) * 1.01 + 500;

/** Reconnected within half a second, a failed release tried again within one, and some for a busy machine. */
const GRACE_MS = 2_500;

const TOLERANCE_MS = 150;
const SWEEP_EVERY_MS = 2_000;
const PROGRESS_EVERY_MS = 1_000;

export interface Outcome extends Assembled {
  readonly verdicts: readonly Verdict[];
  readonly faults: ReadonlyMap<string, number>;
  readonly lives: readonly Life[];
  /** A process that ended by itself, for one. None is allowed. */
  readonly troubles: readonly string[];
  /** What was left out, and why. */
  readonly remarks: readonly string[];
}

/** Runs it, and judges the history of it. */
export async function run(
  options: ChaosOptions,
  onProgress: (text: string) => void = () => undefined,
): Promise<Outcome> {
  const folder = join(options.out, 'diaries');
  await mkdir(folder, { recursive: true });
  const library = await shiftLibrary();
  const lengthMs = options.minutes * 60_000;
  const { acts, clocksMs } = plan({
    ...options,
    lengthMs,
    guardMs: GUARD_MS,
    graceMs: GRACE_MS,
    clockToleranceMs: CLOCK_TOLERANCE_MS,
    guarded: options.restartGuard !== 'off',
    clocks: 'path' in library,
  });

  const reaper = await Reaper.hire();
  const axis = new Axis();
  const wallAtZeroMs = Date.now() - axis.nowMs();
  const absences = new Absences(axis);
  const own = join(folder, 'director.jsonl');
  // All relays are in this process: while it stands still, nobody reaches anybody.
  const diary = new Diary(own, axis, (fromMs, toMs) => {
    for (let server = 0; server < options.servers; server++) {
      absences.add({ server, why: 'the relays stood still', fromMs, toMs });
    }
  });
  try {
    await using servers = await Servers.start(clocksMs, library, folder, [axis, diary, absences]);
    await using links = await Links.open(options.replicas, servers.all, absences);
    const rules = { ...options, clockToleranceMs: CLOCK_TOLERANCE_MS, busy: true };
    await using replicas = new Replicas(
      options.replicas,
      rules,
      (replica) => links.urlsOf(replica),
      axis,
      folder,
      library,
      (pid) => {
        reaper.input.write(`born ${pid}\n`);
      },
    );
    onProgress(`${options.servers} servers (${servers.origin}), ${options.replicas} replicas, seed ${options.seed}`);
    await Promise.all(Array.from({ length: options.replicas }, (_, replica) => replicas.start(replica)));

    const startedAtMs = axis.nowMs();
    const director = new Director(servers, replicas, links, axis, diary, options.restartGuard !== 'off');
    let swept = Promise.resolve();
    const sweepAll = (): void => {
      swept = swept.then(async () => {
        for (const [index, server] of servers.all.entries()) {
          if (servers.isUp(index)) await sweep(server, index, axis, diary);
        }
      });
    };
    const sweeping = setInterval(sweepAll, SWEEP_EVERY_MS);
    const progress = setInterval(() => {
      const passedS = Math.round((axis.nowMs() - startedAtMs) / 1_000);
      const up = servers.all.filter((_, server) => servers.isUp(server)).length;
      onProgress(
        `${passedS} of ${Math.round(lengthMs / 1_000)} s, ${up} of ${options.servers} servers and ` +
          `${replicas.up} of ${options.replicas} replicas awake, latest fault: ${director.latest}`,
      );
    }, PROGRESS_EVERY_MS);
    await director.run(acts.map((act) => ({ ...act, atMs: act.atMs + startedAtMs })));
    clearInterval(progress);
    onProgress('the faults are over');

    await servers.mend();
    await links.mendAll();
    // Everybody is connected again, and what is to be undone anywhere is undone.
    await pass(GRACE_MS + GUARD_MS);
    await replicas.stopAll();
    await pass(GRACE_MS + LONGEST_TTL_MS);
    clearInterval(sweeping);
    sweepAll();
    await swept;
    const endAtMs = axis.nowMs();
    diary.close();

    const about: About = {
      servers: options.servers,
      driftFactor: 0.01,
      toleranceMs: TOLERANCE_MS,
      graceMs: GRACE_MS,
      mostOvertakes: 100,
    };
    const { lives, troubles } = replicas;
    const { losses } = servers;
    const remains = { about, lives, absences: absences.all, losses, guardMs: GUARD_MS, own };
    const assembled = assemble({ ...remains, wallAtZeroMs, endAtMs, ticking: true });
    onProgress('the checkers judge');
    const remarks = 'missing' in library ? [`no clock was shifted: ${library.missing}`] : [];
    return { ...assembled, verdicts: check(assembled.history), faults: director.faults, lives, troubles, remarks };
  } finally {
    await reaper.close();
  }
}

function pass(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
