import ms from 'ms';
import { printable } from './core/printable.js';
import type { CronSchedule } from './decorators/trigger.js';
import { errorText } from './core/error-text.js';

export const NOT_READY = (method: string): string =>
  `${method} cannot be locked yet, so it did not run: its @WithLock gets the lock service when the application starts. ` +
  `If the application has started, then its host was not made by Nest, or is request-scoped and made by a factory.`;

export const CANNOT_LOCK = (method: string, why: string): string => `@WithLock cannot lock ${method}: ${why}`;

export const NO_MODULE = (instance: string | undefined): string =>
  instance === undefined
    ? 'RedlockModule is not imported. Add RedlockModule.forRoot(...) to the imports of the root module.'
    : `there is no RedlockModule with the name "${instance}".`;

/** Only the first line of the parser's error: the rest is for its maintainers. */
export const BAD_SCHEDULE = ({ cronTime, timeZone, utcOffset }: CronSchedule, error: unknown): string => {
  const when = typeof cronTime === 'string' ? `'${cronTime}'` : 'a date';
  const where = `${timeZone == null ? '' : ` in '${timeZone}'`}${utcOffset == null ? '' : ` with offset ${utcOffset}`}`;
  const [why = ''] = errorText(error).split('\n');
  return `its schedule, ${when}${where}, has no ticks. ${why}`;
};

export const KEY_FUNCTION = (method: string, problem: string): string =>
  `the key function of @WithLock on ${method} must give what a key may be: ${problem}. The method did not run.`;

export const DETACHED = (method: string): string =>
  `${method} was called without its host (\`this\` was lost), so it did not run. ` +
  `Pass it on as a function that calls it, as in \`() => host.method()\`, or bind it.`;

export const NOT_BEGUN = (method: string): string => `${method} does not begin any more: the application shuts down.`;

/** Whose lines these are: with the name of the instance, where it has one. */
export const CONTEXT = (name: string | undefined): string =>
  name === undefined ? 'Redlock' : `Redlock(${printable(name)})`;

export const SAME_JOB = (name: string, one: string, other: string): string => {
  const who = one === other ? `two hosts of ${one}` : `${one} and ${other}`;
  return (
    `"${printable(name)}" is the name of two scheduled jobs, ${who}: of each tick only one of them would run. ` +
    `A job is named by its key unless it has a name. Give each a name of its own, as in { job: 'mails' }, or where they ` +
    `share one method, a key function of the host, as in function () { return this.name; }.`
  );
};

export const DROPPED_LOCK = (method: string, override: string): string =>
  `${override} overrides ${method} without @WithLock, so it runs on every replica without that lock. ` +
  `Put @WithLock on ${override}, too. If it calls super, what it does before and after that is not locked.`;

export const COMMITS_LATE = (method: string): string =>
  `What stands above @WithLock on ${method} looks like a transaction: it would commit after the lock is given back, and ` +
  `another process could read the old data meanwhile. Put @WithLock above it.`;

export const LONG_TTL = (method: string, ttlMs: number, periodMs: number): string =>
  `The ttl of ${method}, ${ms(ttlMs)}, is longer than its period of ${ms(periodMs)}: when the process that runs it dies, ` +
  `up to ${Math.ceil(ttlMs / periodMs)} runs are lost. A ttl below the period loses none; it may be shorter than the ` +
  `run, because the lock is extended meanwhile.`;

export const UNKNOWN_SCHEDULER =
  '@WithLock cannot tell when the scheduler calls a method: this version of @nestjs/schedule is not known. ' +
  'Versions 5, 6 and 12 are.';

export const REGISTERED_TWICE = (name: string | undefined, importers: readonly string[]): string =>
  `${name === undefined ? 'a RedlockModule without a name' : `the RedlockModule "${printable(name)}"`} is registered twice in one ` +
  `application${importers.length > 0 ? `, by ${importers.join(' and by ')}` : ''}: its two services would wait for each other's locks. ` +
  `Call forRoot once, in the root module (it is global), or give each instance a name of its own: forRoot({ ..., name: 'second' }).`;

export const TELEMETRY_TWICE =
  'RedlockOtelModule is imported twice in one application: everything would be counted twice. ' +
  'Call RedlockOtelModule.forRoot() once, in the root module: it records all instances of the RedlockModule.';

export const UNKNOWN_JOB = (name: unknown, known: readonly string[]): string =>
  `there is no job with the name "${printable(String(name), 60)}" in this application, which has ${
    known.length === 0 ? 'none' : known.map((each) => `"${printable(each, 60)}"`).join(', ')
  }.`;

export const AMBIGUOUS_JOB = (name: string, one: string, other: string): string =>
  `"${printable(name)}" is the name of two jobs, ${one} and ${other}, of two instances of the RedlockModule: say which by { instance }, which is 'default' for the one without a name.`;

export const KEY_UNKNOWN = (method: string): string =>
  `The key of ${method} is not known before its first run, because a function makes it.`;

export const KEY_CHANGES = (method: string): string =>
  `The key of ${method} changes from run to run, and the servers keep what they know of a job by its key: a pause would hold for one of the keys. ` +
  `Give it a key that stays.`;

export const NO_REGISTER = (method: string): string =>
  `The lock service of ${method} keeps no register of jobs: something else stands in its place.`;

export const NOT_CALLED = (method: string): string =>
  `${method} was to run by hand, and did not: what stands above its @WithLock has not called it, or has kept its error.`;

export const RUN_FAILED = (method: string, why: string): string => `${method} has failed. ${why}`;
