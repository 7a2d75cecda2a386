import { calledBy } from '../client/options/acquire-options.js';
import type { Lock } from '../interfaces/index.js';
import { DETACHED, NOT_READY } from '../redlock.messages.js';
import type { RedlockService } from '../redlock.service.js';
import { jobOptions, plainOptions, ttlOf, type Call } from './call-options.js';
import { checkTrigger, keyOf } from './checks.js';
import { hasBegun, takeFiring } from './firing.js';
import { locksOfCall, type LockedMethod } from './locked-method.js';
import { asRun, runsAround } from './nested-calls.js';
import { runFiring } from './scheduled-run.js';
import { serviceOf } from './services.js';
import { triggerOf } from './trigger.js';

export async function runLocked(method: LockedMethod, call: Call): Promise<unknown> {
  const { label, prototype, property, propertyKey } = method;
  const { host } = call;
  const service = serviceOf(host, property);
  if (service === undefined) {
    throw new Error(Object.prototype.isPrototypeOf.call(prototype, host) ? NOT_READY(label) : DETACHED(label));
  }
  const locks = locksOfCall(host, propertyKey);
  if (locks.length > 1) {
    const isInner = locks[0]?.wrapper !== method.wrapper && runsAround(host, propertyKey).length > 0;
    const run = { host, propertyKey, service, isOutermost: !isInner };
    const work = (lock: Lock): Promise<unknown> => asRun({ ...run, lock }, () => call.work(lock));
    if (isInner) return await runInner(service, method, { ...call, work });
    return await runOuter(service, method, { ...call, work });
  }
  return await runOuter(service, method, call);
}

async function runOuter(service: RedlockService, method: LockedMethod, call: Call): Promise<unknown> {
  const trigger = triggerOf(call.host, method);
  checkTrigger(method, trigger);
  const firing = trigger && takeFiring(trigger, { host: call.host, propertyKey: method.propertyKey });
  if (firing?.begun.size === 0) return await runFiring(service, firing, method, call);
  const key = keyOf(method, call.host, call.args);
  if (firing !== undefined && !hasBegun(firing, key)) return await runFiring(service, firing, method, call);
  const options = trigger === undefined ? plainOptions(method) : jobOptions(method, key, undefined);
  return await service.withLock(key, ttlOf(service, method), call.work, options);
}

/** A call that another `@WithLock` of the same method has let through is a part of that call: it claims no tick of its own. */
async function runInner(service: RedlockService, method: LockedMethod, call: Call): Promise<unknown> {
  const key = keyOf(method, call.host, call.args);
  const keys = [key].flat();
  // Also where that lock is in doubt after a suspension: the call must not wait for itself. One that is over lends nothing.
  const isCovered = runsAround(call.host, method.propertyKey).some(
    (run) => run.service === service && keys.every((each) => run.lock.keys.includes(each)),
  );
  const options = plainOptions(method);
  const own = isCovered ? calledBy({ method: method.label }, { ...options, reentrant: true }) : options;
  return await service.withLock(key, ttlOf(service, method), call.work, own);
}
