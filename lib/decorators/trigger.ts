import type { LockedMethod } from './locked-method.js';
import { compileTicks, type CronSchedule, type Tick } from '../cron/tick.js';

/** What calls a method by itself. */
export type Trigger =
  | { readonly kind: 'cron'; readonly schedule: CronSchedule; tickOf(firedAtMs: number): Promise<Tick> }
  | { readonly kind: 'interval'; readonly everyMs: number };

/** The metadata of `@nestjs/schedule` on a method. Read by name, because that package is optional. */
const TYPE = 'SCHEDULER_TYPE';
const CRON = 'SCHEDULE_CRON_OPTIONS';
const INTERVAL = 'SCHEDULE_INTERVAL_OPTIONS';
const TIMEOUT = 'SCHEDULE_TIMEOUT_OPTIONS';

/** What stands under `TYPE`. */
const TYPES = { cron: 1, timeout: 2, interval: 3 } as const;

const known = new WeakMap<object, Trigger | undefined>();

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

function triggerOn(method: object): Trigger | undefined {
  if (!known.has(method)) known.set(method, read(method));
  return known.get(method);
}

/** A method with several schedules has the metadata of each, and the type of the outermost, by which alone Nest calls it. */
function read(method: object): Trigger | undefined {
  switch (Reflect.getMetadata(TYPE, method)) {
    case TYPES.cron:
      return everyTickOf(Reflect.getMetadata(CRON, method) as CronSchedule);
    case TYPES.interval:
      return { kind: 'interval', everyMs: (Reflect.getMetadata(INTERVAL, method) as { timeout: number }).timeout };
    case TYPES.timeout:
      return { kind: 'interval', everyMs: (Reflect.getMetadata(TIMEOUT, method) as { timeout: number }).timeout };
    default:
      return undefined;
  }
}

function everyTickOf(schedule: CronSchedule): Trigger {
  let compiled: ReturnType<typeof compileTicks> | undefined;
  return {
    kind: 'cron',
    schedule,
    tickOf: async (firedAtMs) => (await (compiled ??= compileTicks(schedule)))(firedAtMs),
  };
}
