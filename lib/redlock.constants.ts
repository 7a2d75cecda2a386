/*
 * All of these are registered symbols: one process may load this package twice, as ES module and as CommonJS, and both
 * copies must mean the same.
 */

/** Injection token of the checked options of an instance. */
export const SETTINGS = Symbol.for('redlock-nestjs:settings');

/** Injection token of what makes servers of an instance's options. */
export const REDLOCK_SERVERS = Symbol.for('redlock-nestjs:servers');

/** Metadata of a prototype: its decorated methods. */
export const WITH_LOCK_METHODS = Symbol.for('redlock-nestjs:with-lock-methods');

/** Where the scheduler's own firing of a job is kept for the running async context, for both copies. */
export const FIRING = Symbol.for('redlock-nestjs:firing');

/** Set in a process that runs one job and ends. */
export const ONE_OFF = Symbol.for('redlock-nestjs:one-off');

/** Where the run of a decorated method around the running async context is kept, for both copies. */
export const LOCKED_RUN = Symbol.for('redlock-nestjs:locked-run');

/** The name of the instance that has none. */
export const DEFAULT_NAME = 'default';

const SERVICE = 'redlock-nestjs:service:';

/**
 * The injection token of an instance's service.
 *
 * @publicApi
 */
export function getRedlockToken(name = DEFAULT_NAME): symbol {
  return Symbol.for(`${SERVICE}${name}`);
}

/** Whether it is the injection token of a service, whatever the instance's name. */
export function isServiceToken(token: unknown): token is symbol {
  return typeof token === 'symbol' && Symbol.keyFor(token)?.startsWith(SERVICE) === true;
}

/** The name of the instance; `undefined` for the one without a name. */
export function nameOfToken(token: symbol): string | undefined {
  const name = Symbol.keyFor(token)?.slice(SERVICE.length);
  return name === DEFAULT_NAME ? undefined : name;
}
