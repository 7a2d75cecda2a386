import { quoted } from '../core/errors/redlock.error.js';

export const DIFFERENT_SHARDS = (one: string, other: string): string =>
  `"${one}" and "${other}" belong to different shards, so they cannot be one lock. Give all of its keys the same hash tag, ` +
  `which alone decides then, as in "{42}order" and "{42}stock".`;

const WAYS_OUT =
  `pass the lock on instead of locking again, or let the call run under the lock that is held with { reentrant: true }. ` +
  `A timer or an event that starts the next round should be started after the lock is given back.`;

export const WAITS_FOR_ITSELF = (keys: readonly string[], caller: string): string =>
  `${caller} asks for ${quoted(keys)} within work that holds it. It waits until that work has ended, and if the work waits for ` +
  `this call, it waits for itself. If it does, ${WAYS_OUT}`;

export const WAITED_FOR_ITSELF = (keys: readonly string[]): string =>
  `The work that made this call holds ${quoted(keys)} itself, so the call may have waited for itself. If it did, ${WAYS_OUT}`;

export const NOT_COVERED = (held: readonly string[], missing: readonly string[]): string =>
  `the work that made this call holds ${quoted(held)}, but not ${quoted(missing)}, so the call cannot run under its lock. ` +
  `Lock all keys at once where the first of them is locked.`;

export const LEFT_BEHIND = (keys: readonly string[], why: string): string =>
  `The lock on ${quoted(keys)} could not be given back at shutdown, so other processes wait until its ttl is over. ${why} ` +
  `A client that is given to the module must stay open until the application has closed: close it in onApplicationShutdown, not before.`;

export const RELEASE_FAILED = (why: string): string =>
  `A lock could not be released everywhere; others may wait until its ttl is over. ${why}`;

export const SHUTDOWN_TIMEOUT = (count: number, timeoutMs: number): string =>
  `Shutdown has waited ${timeoutMs} ms for locked work; the locks of ${count} still running are given up now.`;

/** One line at boot, for each shard. An even number tolerates no more failures than one fewer, and has one more to fail. */
export const SERVERS = (count: number): { readonly level: 'log' | 'warn'; readonly message: string } => {
  const needed = Math.floor(count / 2) + 1;
  if (count === 1) return { level: 'log', message: 'One server: locks can be had while it is up.' };
  const majority = `${count} servers: a lock needs ${needed} of them.`;
  if (count % 2 === 1) return { level: 'log', message: majority };
  const few =
    count === 2
      ? 'No lock can be had while either is away, so two are worse than one: use one or three.'
      : `That many may fail as with ${count - 1}, and there is one more to fail: use ${count - 1} or ${count + 1}.`;
  return { level: 'warn', message: `${majority} ${few}` };
};
