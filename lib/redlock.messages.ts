import type { CronSchedule } from './cron/tick.js';

export const NOT_READY = (method: string): string =>
  `${method} cannot be locked yet, so it did not run: its @WithLock gets the lock service when the application starts. ` +
  `If the application has started, then its host was not made by Nest, or is request-scoped and made by a factory.`;

export const CANNOT_LOCK = (method: string, why: string): string => `@WithLock cannot lock ${method}: ${why}`;

export const NO_MODULE = (instance: string | undefined): string =>
  instance === undefined
    ? 'RedlockModule is not imported. Add RedlockModule.forRoot(...) to the imports of the root module.'
    : `there is no RedlockModule with the name "${instance}".`;

/** Of what the parser says the first line: more is for those who mend it. */
export const NO_TICKS = ({ cronTime, timeZone, utcOffset }: CronSchedule, error: unknown): string => {
  const when = typeof cronTime === 'string' ? `'${cronTime}'` : 'a date';
  const where = `${timeZone == null ? '' : ` in '${timeZone}'`}${utcOffset == null ? '' : ` with offset ${utcOffset}`}`;
  const [why = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
  return `nobody can tell the ticks of its schedule, ${when}${where}. ${why}`;
};

export const DIFFERENT_SHARDS = (one: string, other: string): string =>
  `"${one}" and "${other}" belong to different shards, so they cannot be one lock. Give all of its keys the same hash tag, ` +
  `which alone decides then, as in "{42}order" and "{42}stock".`;

export const SKIPPED = (why: string): string => `Skipped. ${why}`;

export const NOT_BEGUN = (method: string): string => `${method} does not begin any more: the application shuts down.`;

export const FINDING = (server: string, finding: string): string => `Server ${server} ${finding}.`;

export const RELEASE_FAILED = (why: string): string =>
  `A lock could not be released everywhere; others may wait until its ttl is over. ${why}`;

export const SHARED_TICK = (key: string, methods: readonly string[]): string =>
  `${methods.join(' and ')} lock the same key "${key}" per tick: where their ticks fall together, only one of them runs. ` +
  `Give them different keys, or perTick: false.`;

export const SHUTDOWN_TIMEOUT = (count: number, timeoutMs: number): string =>
  `Shutdown has waited ${timeoutMs} ms for locked work; the locks of ${count} still running are given up now.`;
