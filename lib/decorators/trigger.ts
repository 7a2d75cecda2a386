import type { LockedMethod } from './locked-method.js';

/** What `@Cron` was given: its metadata. */
export interface CronSchedule {
  /** A cron expression of five or six fields, a preset such as `@daily`, or one instant (a `Date`, a luxon `DateTime`). */
  readonly cronTime: unknown;
  readonly timeZone?: string | null;
  readonly utcOffset?: number | string | null;
}

/** How a method is scheduled. */
export type Trigger =
  | { readonly kind: 'cron'; readonly schedule: CronSchedule }
  | { readonly kind: 'interval' | 'timeout'; readonly everyMs: number; readonly name: string | undefined };

/** The metadata of `@nestjs/schedule` on a method. Read by name, because that package is optional. */
const NAME = 'SCHEDULER_NAME';
const TYPE = 'SCHEDULER_TYPE';
const CRON = 'SCHEDULE_CRON_OPTIONS';
const INTERVAL = 'SCHEDULE_INTERVAL_OPTIONS';
const TIMEOUT = 'SCHEDULE_TIMEOUT_OPTIONS';

/** What stands under `TYPE`. */
const TYPES = { cron: 1, timeout: 2, interval: 3 } as const;

/**
 * How the method is scheduled. `@Cron` may stand above another decorator that wraps our wrapper, or on a method that
 * overrides ours: then it is on what the host has under the name.
 */
export function triggerOf(
  host: object,
  { propertyKey, wrapper }: Pick<LockedMethod, 'propertyKey' | 'wrapper'>,
): Trigger | undefined {
  const outermost = (host as Record<string | symbol, unknown>)[propertyKey];
  return (typeof outermost === 'function' ? triggerOn(outermost) : undefined) ?? triggerOn(wrapper);
}

/** Whether Nest schedules the method: it looks at what the host has under the name, and nowhere else. */
export function isScheduled(host: object, propertyKey: string | symbol): boolean {
  const outermost = (host as Record<string | symbol, unknown>)[propertyKey];
  return typeof outermost === 'function' && triggerOn(outermost) !== undefined;
}

/** A method with several schedules has the metadata of each, and the type of the outermost, by which alone Nest calls it. */
function triggerOn(method: object): Trigger | undefined {
  switch (Reflect.getMetadata(TYPE, method)) {
    case TYPES.cron:
      return { kind: 'cron', schedule: Reflect.getMetadata(CRON, method) as CronSchedule };
    case TYPES.interval:
      return timer('interval', INTERVAL, method);
    case TYPES.timeout:
      return timer('timeout', TIMEOUT, method);
    default:
      return undefined;
  }
}

function timer(kind: 'interval' | 'timeout', metadata: string, method: object): Trigger {
  const { timeout } = Reflect.getMetadata(metadata, method) as { timeout: number };
  return { kind, everyMs: timeout, name: Reflect.getMetadata(NAME, method) as string | undefined };
}
