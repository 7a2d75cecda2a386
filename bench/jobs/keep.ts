import { setTimeout as pass } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Kept } from '../contestants/contestant.js';
import { openOnce } from './opened.js';
import type { KeepAnswer, KeepQuestion } from './questions.js';

const BATCH = 250;

/** Many locks that are extended for a while, and then given back all at once. For a process of its own. */
export async function keep(question: KeepQuestion): Promise<KeepAnswer> {
  const contestant = await openOnce(question);
  if (contestant.keep === undefined) throw new Error(`${question.contestant} does not extend locks.`);
  await contestant.cycle('bench:warm-up');
  const bytesBefore = await settledMemory();
  const kept: Kept[] = [];
  for (let done = 0; done < question.locks; done += BATCH) {
    const size = Math.min(BATCH, question.locks - done);
    const batch = Array.from({ length: size }, (_, index) => `bench:kept:${question.contestant}:${done + index}`);
    kept.push(...(await Promise.all(batch.map((key) => contestant.keep!(key, question.ttlMs)))));
  }
  const bytesALock = ((await settledMemory()) - bytesBefore) / question.locks;
  const cpuPercent = await cpuDuring(question.forMs);
  const lost = kept.filter((each) => !each.isHeld()).length;
  const stopsAtMs = performance.now();
  await Promise.allSettled(kept.map((each) => each.stop()));
  return { cpuPercent, bytesALock, lost, stopMs: performance.now() - stopsAtMs };
}

async function cpuDuring(forMs: number): Promise<number> {
  const before = process.cpuUsage();
  const startedAtMs = performance.now();
  await pass(forMs);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 10 / (performance.now() - startedAtMs);
}

/** The memory of the process when what is garbage is gone. */
async function settledMemory(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let time = 0; time < 3; time++) {
    collect();
    await pass(50);
  }
  return process.memoryUsage.rss();
}
