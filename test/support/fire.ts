import type { CronTimeLike } from '../../lib/cron/cron-time.js';
import { newMoment, runAsFiring } from '../../lib/decorators/firing.js';
import { triggerOf } from '../../lib/decorators/trigger.js';
import { cronTimeOf, type Schedule } from './cron-times.js';

/** A job keeps the one that it has. */
const cronTimes = new WeakMap<object, CronTimeLike>();

/** Calls a scheduled method of a host as the scheduler does when its time has come. */
export function fire(
  host: object,
  propertyKey: string,
  call = (host as Record<string, () => unknown>)[propertyKey]!,
): unknown {
  const trigger = triggerOf(host, { propertyKey, wrapper: (host as Record<string, object>)[propertyKey]! });
  if (trigger === undefined) throw new Error(`Nothing schedules ${propertyKey}.`);
  const moment = newMoment();
  if (trigger.kind === 'cron') {
    const cronTime = cronTimes.get(trigger.schedule) ?? cronTimeOf(trigger.schedule as Schedule);
    cronTimes.set(trigger.schedule, cronTime);
    return runAsFiring({ ...moment, kind: 'cron', schedule: trigger.schedule, cronTime }, () => call.call(host));
  }
  const { kind, everyMs, name = 'some random name' } = trigger;
  return runAsFiring({ ...moment, kind, everyMs, name }, () => call.call(host));
}
