import type { Contestant } from './contestant.js';

export interface Entry {
  /** The head of its column. */
  readonly title: string;
  readonly open: (urls: readonly string[]) => Promise<Contestant>;
  /** Installed for the benchmark alone. */
  readonly isPeer: boolean;
  /** The first major version of Node on which it runs. */
  readonly node?: number;
}

/** By the name that options take. Each is loaded only in the processes that measure it. */
export const CONTESTANTS = {
  raw: { title: 'raw ioredis', isPeer: false, open: async (urls) => (await import('./raw.js')).open(urls) },
  fenced: {
    title: 'raw ioredis, fenced',
    isPeer: false,
    open: async (urls) => (await import('./raw.js')).openFenced(urls),
  },
  acquire: { title: 'ours (acquire)', isPeer: false, open: async (urls) => (await import('./ours.js')).open(urls) },
  withLock: {
    title: 'ours (withLock)',
    isPeer: false,
    open: async (urls) => (await import('./ours.js')).openWithLock(urls),
  },
  redlock: { title: 'redlock 5 beta', isPeer: true, open: async (urls) => (await import('./redlock.js')).open(urls) },
  'redis-semaphore': {
    title: 'redis-semaphore',
    isPeer: true,
    open: async (urls) => (await import('./redis-semaphore.js')).open(urls),
  },
  'redlock-universal': {
    title: 'redlock-universal',
    isPeer: true,
    node: 22,
    open: async (urls) => (await import('./redlock-universal.js')).open(urls),
  },
  sesamecare: {
    title: '@sesamecare-oss/redlock',
    isPeer: true,
    open: async (urls) => (await import('./sesamecare.js')).open(urls),
  },
} satisfies Record<string, Entry>;

export type ContestantName = keyof typeof CONTESTANTS;

export const CONTESTANT_NAMES = Object.keys(CONTESTANTS) as ContestantName[];

export function entryOf(name: ContestantName): Entry {
  return CONTESTANTS[name];
}

/** The names that can run on this major version of Node. */
export function runsOn(name: ContestantName, node: number): boolean {
  return node >= (entryOf(name).node ?? 0);
}
