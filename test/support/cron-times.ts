import { CronTime as CronTime4 } from 'cron';
import { CronTime as CronTime3 } from 'cron3';
import type { CronTimeLike } from '../../lib/cron/cron-time.js';

/** What `@Cron` takes. */
export interface Schedule {
  readonly cronTime: string | Date | { toJSDate(): Date };
  readonly timeZone?: string | null;
  readonly utcOffset?: number | string | null;
}

export type CronTimeOf = (schedule: Schedule) => CronTimeLike;

type Made = new (...parts: unknown[]) => CronTimeLike;

/** As a `CronJob` makes it, of the version that is given. */
const madeBy =
  (type: unknown): CronTimeOf =>
  ({ cronTime, timeZone, utcOffset }) =>
    new (type as Made)(cronTime, timeZone, utcOffset);

/** `@nestjs/schedule` 6 and 12 come with `cron` 4, and 5 with 3.5. */
export const cronTimeOf = madeBy(CronTime4);
export const CRON_VERSIONS: [version: string, cronTimeOf: CronTimeOf][] = [
  ['cron 4.4', cronTimeOf],
  ['cron 3.5', madeBy(CronTime3)],
];
