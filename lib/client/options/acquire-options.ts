import { InvalidOptionsError } from '../../core/errors/index.js';
import type { RunTrigger } from '../../core/ports/job-note.js';
import type { AcquireOptions, WithLockCallOptions, WithLockOptions } from '../../interfaces/index.js';
import { checkFlag, checkName, refuse, refuseUnknown, reworded, toKey, toMs, toWhole } from './check.js';
import type { Settings } from './module-options.js';

const ACQUIRE = [
  'wait',
  'maxRetries',
  'signal',
  'autoExtend',
  'minHold',
  'maxHold',
  'fencing',
  'tick',
  'job',
] as const satisfies readonly (keyof AcquireOptions)[];
const WITH_LOCK = [...ACQUIRE, 'onContended', 'reentrant'] as const satisfies readonly (keyof WithLockCallOptions)[];
const DECORATOR = [
  ...WITH_LOCK,
  'instance',
  'perTick',
  'catchUp',
  'onCrash',
  'spread',
  'jitter',
] as const satisfies readonly (keyof WithLockOptions)[];

/** The longest that a cron expression can have, the 29th of February around a year that has none. */
const LONGEST_PERIOD_MS = 9 * 366 * 24 * 3600 * 1000;

/** The options of one call, checked and complete. */
export interface AcquireSettings {
  readonly waitMs: number;
  readonly maxRetries: number;
  readonly signal: AbortSignal | undefined;
  readonly autoExtend: boolean;
  readonly minHoldMs: number;
  readonly maxHoldMs: number;
  readonly fencing: boolean;
  readonly tick: TickSettings | undefined;
  /** The name under which the tick is claimed, where that is not the key. */
  readonly job: string | undefined;
}

/** One tick, and the distance to the next one where that is known; or any run, once in so many milliseconds. */
export type TickSettings =
  { readonly atMs: number; readonly periodMs: number | undefined } | { readonly everyMs: number };

/** The options without those that are undefined: leaving one out and naming it so mean the same. */
export function given<T extends object>(options: T): T {
  if (typeof options !== 'object' || (options as object | null) === null) throw refuse('options', 'an object', options);
  if (!Object.values(options).includes(undefined)) return options;
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}

/** What makes a call, for messages and events. */
export interface Caller {
  /** `Class.method`. */
  readonly method: string;
  /** The name of the job, where the method has a schedule. */
  readonly job?: string;
  /** What has called a method that has a schedule. */
  readonly trigger?: RunTrigger;
}

/** Where the options of a call say what makes it. It is no option of the user's, so it is not among those that are listed. */
const CALLER = Symbol.for('redlock-nestjs:caller');

/** Notes with the options what makes the call. */
export function calledBy<T extends object>(caller: Caller, options: T): T {
  return Object.defineProperty(options, CALLER, { value: caller });
}

export function callerOf(options: object): Caller | undefined {
  return (options as { [CALLER]?: Caller })[CALLER];
}

export function toAcquireSettings(
  options: AcquireOptions,
  where: 'acquire' | 'withLock',
  defaults: Pick<Settings, 'waitMs' | 'maxRetries' | 'fencing'>,
): AcquireSettings {
  refuseUnknown(where, options, where === 'acquire' ? ACQUIRE : WITH_LOCK);
  checkFlag('autoExtend', options.autoExtend);
  checkFlag('fencing', options.fencing);
  checkFlag('reentrant', (options as WithLockCallOptions).reentrant);
  const { signal } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw refuse('signal', 'an AbortSignal', signal);
  const waitMs = toMs('wait', options.wait ?? defaults.waitMs, { infinite: true });
  if (waitMs === Infinity && signal === undefined) {
    throw new InvalidOptionsError('wait', 'takes Infinity only together with a signal, because a wait needs an end');
  }
  return {
    waitMs,
    maxRetries: toWhole('maxRetries', options.maxRetries ?? defaults.maxRetries, { infinite: true }),
    signal,
    autoExtend: options.autoExtend ?? where === 'withLock',
    minHoldMs: toMs('minHold', options.minHold ?? 0),
    maxHoldMs: toMs('maxHold', options.maxHold ?? Infinity, { least: 1, infinite: true }),
    fencing: options.fencing ?? defaults.fencing,
    tick: options.tick === undefined ? undefined : toTick(options.tick),
    job: options.job === undefined ? undefined : toJob(options.job),
  };
}

export function checkOnContended(value: unknown, takes: readonly string[]): void {
  if (value !== undefined && !takes.includes(value as string)) {
    throw refuse('onContended', takes.map((each) => `'${each}'`).join(' or '), value);
  }
}

/** What can be checked of a decorator's options when the class is defined. */
export function checkDecoratorOptions(options: WithLockOptions, ttlMs = Infinity): void {
  refuseUnknown('@WithLock', given(options), DECORATOR);
  const { instance, onContended, perTick, catchUp, onCrash, spread, jitter, ...rest } = given(options);
  checkName('instance', instance);
  checkOnContended(onContended, ['skip', 'wait', 'throw']);
  checkFlag('perTick', perTick);
  const ofTicks = Object.entries({ perTick, catchUp, onCrash }).find(
    ([, value]) => value !== undefined && value !== false,
  );
  if (rest.tick !== undefined && ofTicks !== undefined) {
    throw new InvalidOptionsError('tick', `cannot be combined with ${ofTicks[0]}, which works it out`);
  }
  checkSchedule({ catchUp, onCrash, spread, jitter });
  checkMinHold(toAcquireSettings(rest, 'withLock', { waitMs: 0, maxRetries: 0, fencing: true }), ttlMs);
}

/** The options that only methods with a schedule have. */
function checkSchedule(options: Pick<WithLockOptions, 'catchUp' | 'onCrash' | 'spread' | 'jitter'>): void {
  const { catchUp, onCrash, spread, jitter } = options;
  if (catchUp !== undefined) toMs('catchUp', catchUp, { least: 1 });
  if (onCrash !== undefined && !['skip', 'again'].includes(onCrash))
    throw refuse('onCrash', "'skip' or 'again'", onCrash);
  if (spread !== undefined) toMs('spread', spread);
  if (jitter !== undefined) toMs('jitter', jitter);
}

/** When the holder dies its key is free after the ttl (P3), so a longer hold would be kept only as long as nothing goes wrong. */
export function checkMinHold({ minHoldMs }: Pick<AcquireSettings, 'minHoldMs'>, ttlMs: number): void {
  if (minHoldMs <= ttlMs) return;
  const why = `at most the ttl, ${ttlMs} ms, because the key is free after that when its holder dies`;
  throw refuse('minHold', why, minHoldMs);
}

/** No `Date` is later. Source: ECMAScript, "Time Values and Time Range". */
const LAST_DATE_MS = 8.64e15;

function toTick(value: unknown): TickSettings {
  const parts = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  if ('everyMs' in parts) return { everyMs: toMs('tick', parts.everyMs, { least: 1 }) };
  const atMs = 'atMs' in parts ? parts.atMs : value instanceof Date ? value.getTime() : value;
  const { periodMs } = parts;
  if (
    !Number.isSafeInteger(atMs) ||
    Math.abs(atMs as number) > LAST_DATE_MS ||
    (periodMs !== undefined && !isPeriod(periodMs))
  ) {
    throw refuse('tick', 'a valid Date, or a whole number of milliseconds since 1970', value);
  }
  return { atMs: atMs as number, periodMs };
}

/** It becomes part of a key, and takes what a key takes. */
function toJob(value: unknown): string {
  return reworded(
    () => toKey(value),
    (_, problem) => new InvalidOptionsError('job', problem),
  );
}

function isPeriod(value: unknown): value is number {
  return value === Infinity || (typeof value === 'number' && value > 0 && value < LONGEST_PERIOD_MS);
}
