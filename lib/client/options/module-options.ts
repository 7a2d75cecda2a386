import { hostname } from 'node:os';
import type { RedlockModuleOptions } from '../../interfaces/index.js';
import type { RestartGuardMode } from '../../redis/restart-guard.js';
import { checkFlag, refuse, refuseNumber, refuseUnknown, toMs, toTtlMs, toWhole } from './check.js';
import { toShards, type ServerSpec } from './servers.js';

/** Where neither a decorator nor the module says one. */
export const DEFAULT_TTL = '10s';

/** The module's options, checked and complete. All times in milliseconds. */
export interface Settings {
  /** The servers of each quorum group: of one, or of several. */
  readonly shards: readonly (readonly ServerSpec[])[];
  /** Whether the option was `shards`. */
  readonly sharded: boolean;
  readonly keyPrefix: string;
  /** Of a `@WithLock` that gives none. */
  readonly ttlMs: number;
  readonly waitMs: number;
  readonly maxRetries: number;
  readonly retryDelayMs: number;
  readonly maxRetryDelayMs: number;
  readonly driftFactor: number;
  readonly nodeTimeoutMs: number;
  readonly maxConcurrency: number;
  readonly reconnectDelayMs: number;
  readonly maxReconnectDelayMs: number;
  readonly fencing: boolean;
  readonly fencingRetentionMs: number;
  readonly reentrant: boolean;
  readonly restartGuard: RestartGuardMode;
  readonly clockToleranceMs: number;
  readonly shutdownTimeoutMs: number;
  readonly owner: string;
}

const KNOWN = [
  'servers',
  'shards',
  'keyPrefix',
  'ttl',
  'wait',
  'maxRetries',
  'retryDelay',
  'maxRetryDelay',
  'driftFactor',
  'nodeTimeout',
  'maxConcurrency',
  'reconnectDelay',
  'maxReconnectDelay',
  'fencing',
  'fencingRetention',
  'reentrant',
  'restartGuard',
  'clockTolerance',
  'shutdownTimeout',
  'owner',
] as const satisfies readonly (keyof RedlockModuleOptions)[];

/** Checks the options and fills in the defaults. Throws an InvalidOptionsError that names the first one that is wrong. */
export function toSettings(options: RedlockModuleOptions): Settings {
  if (typeof options !== 'object' || (options as object | null) === null || Array.isArray(options)) {
    throw refuse('options', 'the options of RedlockModule', options);
  }
  refuseUnknown('RedlockModule', options, KNOWN);
  const retryDelayMs = toMs('retryDelay', options.retryDelay ?? 50, { least: 1 });
  const reconnectDelayMs = toMs('reconnectDelay', options.reconnectDelay ?? 300, { least: 1 });
  const driftFactor = toDriftFactor(options.driftFactor ?? 0.01);
  return {
    shards: toShards(options.servers, options.shards),
    sharded: options.shards !== undefined,
    keyPrefix: toText('keyPrefix', options.keyPrefix ?? 'redlock:'),
    ttlMs: toTtlMs(options.ttl ?? DEFAULT_TTL, driftFactor),
    waitMs: toMs('wait', options.wait ?? '10s'),
    maxRetries: toWhole('maxRetries', options.maxRetries ?? Infinity, { infinite: true }),
    retryDelayMs,
    maxRetryDelayMs: toMs('maxRetryDelay', options.maxRetryDelay ?? Math.max(1000, retryDelayMs), {
      least: retryDelayMs,
    }),
    driftFactor,
    nodeTimeoutMs: toMs('nodeTimeout', options.nodeTimeout ?? 500, { least: 1 }),
    maxConcurrency: toWhole('maxConcurrency', options.maxConcurrency ?? 10, { least: 1 }),
    reconnectDelayMs,
    maxReconnectDelayMs: toMs('maxReconnectDelay', options.maxReconnectDelay ?? Math.max(3000, reconnectDelayMs), {
      least: reconnectDelayMs,
    }),
    fencing: toFlag('fencing', options.fencing ?? true),
    fencingRetentionMs: toMs('fencingRetention', options.fencingRetention ?? '1h', { least: 1 }),
    reentrant: toFlag('reentrant', options.reentrant ?? false),
    restartGuard: toRestartGuard(options.restartGuard ?? 'witnessed'),
    clockToleranceMs: toMs('clockTolerance', options.clockTolerance ?? '60s'),
    shutdownTimeoutMs: toMs('shutdownTimeout', options.shutdownTimeout ?? '10s'),
    owner: toText('owner', options.owner ?? `${hostname()}:${process.pid}`),
  };
}

function toText(option: string, value: unknown): string {
  if (typeof value !== 'string' || value.length > 200)
    throw refuse(option, 'a string of at most 200 characters', value);
  return value;
}

function toDriftFactor(value: unknown): number {
  if (typeof value !== 'number' || !(value >= 0 && value < 1))
    throw refuseNumber('driftFactor', 'a number from 0 to below 1', value);
  return value;
}

function toFlag(option: string, value: unknown): boolean {
  checkFlag(option, value);
  return value as boolean;
}

function toRestartGuard(value: unknown): RestartGuardMode {
  if (value !== 'witnessed' && value !== 'strict' && value !== 'off') {
    throw refuse('restartGuard', "'witnessed', 'strict' or 'off'", value);
  }
  return value;
}
