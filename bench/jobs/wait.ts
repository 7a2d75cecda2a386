import { setTimeout as pass } from 'node:timers/promises';
import { countCommands } from './commands.js';
import { openOnce } from './opened.js';
import type { Grant, WaitAnswer, WaitQuestion } from './questions.js';

const HOLD_MS = 5;

/** The machine's own monotonic time, the same in all of its processes. */
const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6;

export async function wait(question: WaitQuestion): Promise<WaitAnswer> {
  const contestant = await openOnce(question);
  const release = await contestant.take(`${question.key}:${process.pid}`, 5_000);
  await release?.();
  const count = countCommands();
  const endMs = nowMs() + question.forMs;
  // Waiters that still wait when the time is over go on for as long again, so that more of a long wait is seen.
  const lastMs = endMs + question.forMs;
  const commandsAtEnd = pass(question.forMs).then(count);
  const grants: Grant[] = [];
  let longestWaitMs = 0;
  const useOften = async (): Promise<void> => {
    while (nowMs() < endMs) {
      const askedAtMs = nowMs();
      const giveBack = await contestant.take(question.key, lastMs - askedAtMs);
      const grantedAtMs = nowMs();
      longestWaitMs = Math.max(longestWaitMs, grantedAtMs - askedAtMs);
      if (giveBack === undefined) return;
      await pass(HOLD_MS);
      const releasedAtMs = nowMs();
      await giveBack();
      if (releasedAtMs < endMs) grants.push({ grantedAtMs, releasedAtMs });
    }
  };
  await Promise.all(Array.from({ length: question.waiters }, useOften));
  return { grants, longestWaitMs, commands: await commandsAtEnd };
}
