import ms from 'ms';
import { InvalidOptionsError } from '../../core/errors/index.js';
import { printable } from '../../core/printable.js';

/** Redis allows much more, but a key that long is a mistake: an object turned into a string, a whole document. */
const LONGEST_KEY = 512;

/**
 * A server carries out one call without doing anything else meanwhile, and a key takes it some 10 microseconds: so many keep it
 * for 50 ms from its other clients, a tenth of the time in which it must answer.
 */
const MOST_KEYS = 5000;

/** Redis refuses an expiry beyond this; it is a hundred years. */
const LONGEST_MS = 100 * 365 * 24 * 3600 * 1000;

const LONE_SURROGATE = /\p{Surrogate}/u;

interface Range {
  readonly least?: number;
  readonly infinite?: boolean;
}

/** A duration in milliseconds, or an {@link InvalidOptionsError} that names the option, what it got and what it takes. */
export function toMs(option: string, value: unknown, { least = 0, infinite = false }: Range = {}): number {
  const result = typeof value === 'string' ? parse(value) : value;
  if (typeof result !== 'number' || !(result >= least)) {
    throw refuseNumber(option, `${DURATION}, at least ${least}${infinite ? ' or Infinity' : ''}`, value);
  }
  if (result <= LONGEST_MS || (result === Infinity && infinite)) return result;
  throw refuseNumber(option, `${DURATION}, at most ${LONGEST_MS} ms (100 years)`, value);
}

const DURATION = "a number of milliseconds or a string such as '30s'";

/** `ms` throws on an empty string and returns undefined on nonsense. */
function parse(text: string): number | undefined {
  if (text === '' || text.length > 100) return undefined;
  return ms(text as ms.StringValue);
}

/** A whole number, or an {@link InvalidOptionsError}. */
export function toWhole(option: string, value: unknown, { least = 0, infinite = false }: Range = {}): number {
  if (value === Infinity && infinite) return value;
  if (!Number.isSafeInteger(value) || (value as number) < least) {
    throw refuseNumber(option, `a whole number, at least ${least}`, value);
  }
  return value as number;
}

/** One key or several, without repetition. */
export function toKeys(value: unknown): string[] {
  const keys = Array.isArray(value) ? (value as unknown[]) : [value];
  if (keys.length === 0) throw refuse('key', 'a key or a list of at least one', value);
  if (keys.length > MOST_KEYS) throw refuse('key', `at most ${MOST_KEYS} keys in one call`, value);
  for (const key of keys) {
    if (typeof key !== 'string' || key === '')
      throw refuse('key', 'a string that is not empty, or a list of such', value);
    // Half a character becomes the same bytes as any other half: two keys would be one.
    if (LONE_SURROGATE.test(key)) throw refuse('key', 'well-formed Unicode', value);
    if (key.length > LONGEST_KEY) {
      throw new InvalidOptionsError(
        'key',
        `takes at most ${LONGEST_KEY} characters, got ${key.length}: "${printable(key, 40)}"`,
      );
    }
  }
  return keys.length === 1 ? [String(keys[0])] : [...new Set(keys as string[])];
}

/** One key, where several would mean nothing. */
export function toKey(value: unknown): string {
  if (Array.isArray(value)) throw refuse('key', 'one key', value);
  return toKeys(value)[0] ?? '';
}

/** A ttl that leaves something after the allowance for drifting clocks. */
export function toTtlMs(value: unknown, driftFactor: number): number {
  const ttlMs = toMs('ttl', value, { least: 1 });
  const least = Math.ceil(2 / (1 - driftFactor)) + 1;
  if (ttlMs < least) {
    const lost = driftFactor === 0 ? '2 ms and a part of the ttl' : `ttl x ${driftFactor} + 2 ms`;
    throw refuse('ttl', `at least ${least} ms, because ${lost} are lost to drifting clocks`, value);
  }
  return ttlMs;
}

/** Refuses what nobody would ever read: a misspelt option is worse than none. */
export function refuseUnknown(where: string, options: object, known: readonly string[]): void {
  // It comes from code that the compiler may not have seen.
  if (typeof (options as unknown) !== 'object' || (options as object | null) === null)
    throw refuse(where, 'an object', options);
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) {
      throw new InvalidOptionsError(
        printable(name, 60),
        `is not an option of ${where}, which takes ${known.join(', ')}`,
      );
    }
  }
}

export function checkFlag(option: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'boolean') throw refuse(option, 'true or false', value);
}

/** The name of an instance of the module. */
export function checkName(option: string, value: unknown): void {
  if (value !== undefined && (typeof value !== 'string' || value === '')) {
    throw refuse(option, 'the name of a RedlockModule', value);
  }
}

/** What the function gives; an {@link InvalidOptionsError} that it throws is told in other words. */
export function reworded<T>(check: () => T, say: (option: string, problem: string) => Error): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof InvalidOptionsError)) throw error;
    throw say(error.option, error.message.slice(error.option.length + ': '.length));
  }
}

export function refuse(option: string, takes: string, got: unknown): InvalidOptionsError {
  return new InvalidOptionsError(option, `takes ${takes}, got ${show(got)}`);
}

/** As {@link refuse}, where a number or a duration belongs: a text that is nothing like it may be a password. */
export function refuseNumber(option: string, takes: string, got: unknown): InvalidOptionsError {
  const isSecret = typeof got === 'string' && got !== '' && !LIKE_A_NUMBER.test(got);
  return isSecret ? new InvalidOptionsError(option, `takes ${takes}, got a text`) : refuse(option, takes, got);
}

/** A few digits, and perhaps a unit: '-5s', '10 min', '1%'. */
const LIKE_A_NUMBER = /^[-+]?\d{1,6}([.,]\d{1,6})? ?(%|ms|[smhdwy]|secs?|mins?|hrs?|hours?|days?)?$/i;

/** Short, and without the insides of objects: they may hold a password. */
function show(value: unknown): string {
  // A URL in the wrong place.
  if (typeof value === 'string' && /:\/\/|@/.test(value)) return 'a text with an address';
  if (typeof value === 'string') return `'${printable(value, 60)}'`;
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
}
