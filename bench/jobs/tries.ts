import { measure } from './measure.js';
import { openOnce } from './opened.js';
import type { CyclesAnswer, TriesQuestion } from './questions.js';

let runs = 0;

/** Tries at a lock that a second client holds for the whole time. */
export async function tries(question: TriesQuestion): Promise<CyclesAnswer> {
  const contestant = await openOnce(question);
  const holder = await openOnce(question, 'holder');
  const key = `bench:held:${question.contestant}:${process.pid}:${++runs}`;
  if (!(await holder.tryOnce(key))) throw new Error(`${question.contestant} could not take ${key}.`);
  const cycle = async (): Promise<void> => {
    if (await contestant.tryOnce(key)) throw new Error(`${question.contestant} took a lock that is held.`);
  };
  return await measure({ ...question, atOnce: 1, cycle });
}
