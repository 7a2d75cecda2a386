import { measure } from './measure.js';
import { openOnce } from './opened.js';
import type { CyclesAnswer, CyclesQuestion } from './questions.js';

let runs = 0;

export async function cycles(question: CyclesQuestion): Promise<CyclesAnswer> {
  const contestant = await openOnce(question);
  const prefix = `bench:${question.contestant}:`;
  const fresh = `${prefix}${process.pid}:${++runs}:`;
  const keys = Array.from({ length: question.atOnce }, (_, caller) => `${prefix}${caller}`);
  const cycle = {
    same: (caller: number) => contestant.cycle(keys[caller]!),
    fresh: (caller: number, round: number) => contestant.cycle(`${fresh}${caller}:${round}`),
    tick: (caller: number) => contestant.tick!(keys[caller]!),
  }[question.keys];
  return await measure({ ...question, cycle });
}
