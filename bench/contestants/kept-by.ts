import type { Kept } from './contestant.js';

/** A lock that a library keeps for as long as a routine runs, as one that is kept until `stop()`. */
export function keptBy(using: (routine: (signal: AbortSignal) => Promise<void>) => Promise<void>): Promise<Kept> {
  return new Promise((resolve, reject) => {
    let end = (): void => undefined;
    const ended = using((signal) => {
      resolve({
        isHeld: () => !signal.aborted,
        stop: () => {
          end();
          return ended;
        },
      });
      return new Promise((finish) => {
        end = finish;
      });
    });
    ended.catch(reject);
  });
}
