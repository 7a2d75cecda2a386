import { setTimeout as sleep } from 'node:timers/promises';
import { start } from '../test/support/fleet.js';
import { Chaos } from './chaos.js';
import { Replicas } from './replicas.js';
import { isFlawless } from './judge.js';
import { servePage } from './page.js';
import { TickLog } from './tick-log.js';
import type { DemoOptions } from './options.js';
import type { Printer } from './print.js';
import { countVotes } from './votes.js';

const PERIOD_MS = 1_000;
/** After so long no replica can start a tick any more: a timer may be late by a period, and then the call waits for the lock. */
const LATEST_MS = 1_800;
const LOOK_MS = 25;

/** Runs the demo until its ticks are over, or the signal aborts. Whether each tick ran exactly once. */
export async function run(options: DemoOptions, printer: Printer, signal: AbortSignal): Promise<boolean> {
  await using fleet = await start(options.servers, { direct: true });
  const tickLog = new TickLog();
  let chaos: Chaos | undefined;
  await using replicas = new Replicas(fleet.urls, {
    onTick: (replica, message) => {
      if (message.what === 'began') {
        if (tickLog.isClosed(message.tickMs)) printer.trouble(`${replica.name} runs a tick that was over already.`);
        chaos?.onBegan(replica);
      }
      tickLog.record({ ...message, replica: replica.name });
    },
    onTrouble: (text) => {
      if (!signal.aborted) printer.trouble(text);
    },
  });
  const ready = Array.from({ length: options.replicas }, () => replicas.add().ready);
  await unlessAborted(Promise.all(ready), signal);
  if (signal.aborted) return false;

  printer.start(fleet.origin);
  const announce = (text: string): void => {
    printer.note(text);
  };
  await using page = options.page ? await servePage({ fleet, replicas, announce }) : undefined;
  if (page !== undefined) announce(`break things at ${page.url}, and look at ${page.url}/redlock`);
  if (options.chaos) chaos = new Chaos(fleet, replicas, announce);

  // The first whole second for which every replica has surely set its timer.
  const firstMs = (Math.floor(Date.now() / PERIOD_MS) + 2) * PERIOD_MS;
  let printed: Promise<void> = Promise.resolve();
  for (let tick = 0; tick < options.ticks; tick++) {
    const tickMs = firstMs + tick * PERIOD_MS;
    if (!(await isReached(tickMs, signal))) break;
    void chaos?.at(tick);
    const voting = countVotes(fleet.urls);
    printed = printed.then(async () => {
      if (!(await isSettled(tickMs))) return;
      tickLog.close(tickMs);
      printer.tick(tickLog.verdict(tickMs), await voting);
    });
  }
  await printed;
  const lastMs = firstMs + (options.ticks - 1) * PERIOD_MS;
  await isReached(overAtMs(lastMs), signal); // A second run of the last tick would come until then.
  chaos?.stop();
  await replicas.stop();

  const summary = tickLog.summary();
  if (summary.ticks > 0) printer.summary(summary, chaos?.faults ?? 0);
  return isFlawless(summary);

  /** Waits until every replica has reported the tick, or its time is over. False when the signal aborts. */
  async function isSettled(tickMs: number): Promise<boolean> {
    while (!signal.aborted) {
      const witnesses = replicas.alive.filter(({ readyAtMs }) => readyAtMs < tickMs);
      if (witnesses.every(({ name }) => tickLog.isDone(tickMs, name)) || Date.now() > overAtMs(tickMs)) return true;
      await sleep(LOOK_MS);
    }
    return false;
  }

  /** A replica whose clock is behind fires the tick later. */
  function overAtMs(tickMs: number): number {
    return tickMs + LATEST_MS + Math.max(0, ...replicas.alive.map(({ offsetMs }) => -offsetMs));
  }
}

async function isReached(atMs: number, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted && Date.now() < atMs) {
    await sleep(Math.min(atMs - Date.now(), 2 ** 31 - 1), undefined, { signal }).catch(() => undefined);
  }
  return !signal.aborted;
}

function unlessAborted(promise: Promise<unknown>, signal: AbortSignal): Promise<unknown> {
  const aborted = new Promise<void>((resolve) => {
    signal.addEventListener(
      'abort',
      () => {
        resolve();
      },
      { once: true },
    );
    if (signal.aborted) resolve();
  });
  return Promise.race([promise, aborted]);
}
