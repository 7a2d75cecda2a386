import { LockHandle } from '../../core/lock.js';
import type { RunNote } from '../../core/run-note.js';
import type { Lock } from '../../interfaces/index.js';

/** What is noted of the run that has this lock; undefined where it is the lock of no run, or of a run around it. */
export function runOf(lock: Lock): RunNote | undefined {
  return lock instanceof LockHandle ? lock.run : undefined;
}
