import { AsyncLocalStorage } from 'node:async_hooks';

/** How far `Date` is away from the real one, for a call and whatever it calls. */
const shifts = new AsyncLocalStorage<number>();

const SystemDate = Date;
const now = (): number => SystemDate.now() + (shifts.getStore() ?? 0);

globalThis.Date = class Date extends SystemDate {
  constructor(...args: [] | ConstructorParameters<typeof SystemDate>) {
    if (args.length === 0) super(now());
    else super(...args);
  }

  static override now(): number {
    return now();
  }
} as DateConstructor;

/**
 * Calls `work` at the date `dateMs`, from which on time passes at its usual rate for it. That is how a hundred seconds
 * with a tick each are over in less: what is idle of each second is left out.
 */
export function atDate<T>(dateMs: number, work: () => T): T {
  return shifts.run(Math.floor(dateMs) - SystemDate.now(), work);
}
