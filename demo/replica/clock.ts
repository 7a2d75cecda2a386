const RealDate = Date;
let offsetMs = 0;

/** How far the clock is from the right time now. */
export function clockOffsetMs(): number {
  return offsetMs;
}

function now(): number {
  return RealDate.now() + offsetMs;
}

/**
 * Sets this process' wall clock wrong, or right again with 0. Timers and the monotonic clock do not change, as on a
 * machine whose clock is set.
 */
export function shiftClock(newOffsetMs: number): void {
  offsetMs = newOffsetMs;
}

// In place before anything else is loaded, so that no module keeps the real one.
globalThis.Date = new Proxy(RealDate, {
  construct: (date, args, target) => Reflect.construct(date, args.length === 0 ? [now()] : args, target) as Date,
  apply: () => new RealDate(now()).toString(),
  get: (date, property) => (property === 'now' ? now : (Reflect.get(date, property) as unknown)),
});
