import type { Logger } from '@nestjs/common';
import { shortestPeriodMs } from '../cron/cron-time.js';
import { DEFAULT_TTL } from '../client/options/module-options.js';
import { toMs } from '../client/options/check.js';
import { COMMITS_LATE, DROPPED_LOCK, LONG_TTL } from '../redlock.messages.js';
import type { RedlockService } from '../redlock.service.js';
import { prototypesOf, type LockedMethod } from './locked-method.js';
import type { CronEntry } from './scheduler.js';
import type { Trigger } from './trigger.js';

/** What is legal, but mostly a mistake: told once, when the application starts. */
export class BootReport {
  readonly #told = new Set<string>();

  constructor(private readonly logger: Pick<Logger, 'log' | 'warn'>) {}

  /** That something around the lock of a method makes it worth less. */
  warnOfWrappers(host: object, method: LockedMethod, trigger: Trigger | undefined): void {
    const override = overrideOf(host, method);
    if (override !== undefined && trigger !== undefined) this.#tell('warn', DROPPED_LOCK(method.label, override));
    if (isInTransaction(method)) this.#tell('warn', COMMITS_LATE(method.label));
  }

  /** That the lock of a process that has died outlasts the next runs. */
  tellOfTtl(method: LockedMethod, service: RedlockService, every: number | CronEntry['ref']): void {
    const periodMs = typeof every === 'number' ? every : every && shortestPeriodMs(every.cronTime);
    // In the tests of an application the service may be a stand-in that can do less.
    const ttlMs = toMs('ttl', method.ttl ?? (service as Partial<RedlockService>).ttlMs ?? DEFAULT_TTL);
    if (periodMs !== undefined && ttlMs > periodMs) this.#tell('log', LONG_TTL(method.label, ttlMs, periodMs));
  }

  #tell(level: 'log' | 'warn', line: string): void {
    if (this.#told.has(line)) return;
    this.#told.add(line);
    this.logger[level](line);
  }
}

/** The method of a nearer class that overrides this one without a lock. */
export function overrideOf(host: object, { prototype, propertyKey }: LockedMethod): string | undefined {
  for (const type of prototypesOf(host)) {
    if (type === prototype) return undefined;
    if (Object.hasOwn(type, propertyKey)) return `${type.constructor.name}.${String(propertyKey)}`;
  }
  return undefined;
}

const TRANSACTION = /transact|commit|rollback/i;

/** Whether what another decorator has put around the locked method, on the same class, speaks of a transaction. */
function isInTransaction({ prototype, propertyKey, wrapper }: LockedMethod): boolean {
  const around: unknown = Object.getOwnPropertyDescriptor(prototype, propertyKey)?.value;
  if (typeof around !== 'function' || around === wrapper) return false;
  const source = Function.prototype.toString.call(around);
  const name = around.name === String(propertyKey) ? '' : around.name;
  const marks = (Reflect.getMetadataKeys(around) as unknown[]).filter((mark) => !Reflect.hasMetadata(mark, wrapper));
  return TRANSACTION.test([source, name, ...marks.map(String)].join('\n'));
}
