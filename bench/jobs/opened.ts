import { CONTESTANTS } from '../contestants/index.js';
import type { Contestant } from '../contestants/contestant.js';
import type { Subject } from './questions.js';

const opened = new Map<string, Promise<Contestant>>();

/** The contestant on these servers, with its connections, made once in a process for each purpose. */
export function openOnce({ contestant, urls }: Subject, purpose = ''): Promise<Contestant> {
  const id = [contestant, ...urls, purpose].join(' ');
  const present = opened.get(id);
  if (present !== undefined) return present;
  const made = CONTESTANTS[contestant].open(urls);
  opened.set(id, made);
  return made;
}
