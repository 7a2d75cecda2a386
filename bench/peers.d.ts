// What the benchmark uses of the libraries that it compares with. They are installed with the first run, so the type check must do
// without them; and `redlock` has types that its `exports` hide.

declare module 'redlock' {
  import type { Redis } from 'ioredis';

  export interface Settings {
    retryCount: number;
    retryDelay: number;
    retryJitter: number;
  }

  export default class Redlock {
    constructor(clients: Iterable<Redis>, settings?: Partial<Settings>);
    on(event: 'error', listener: (error: Error) => void): this;
    acquire(resources: string[], ttlMs: number, settings?: Partial<Settings>): Promise<{ release(): Promise<unknown> }>;
    using<T>(resources: string[], ttlMs: number, routine: (signal: AbortSignal) => Promise<T>): Promise<T>;
  }
}

declare module '@sesamecare-oss/redlock' {
  import type Original from 'redlock';

  export const Redlock: typeof Original;
}

declare module 'redis-semaphore' {
  import type { Redis } from 'ioredis';

  export class RedlockMutex {
    constructor(
      clients: Redis[],
      key: string,
      options: {
        lockTimeout: number;
        acquireTimeout?: number;
        acquireAttemptsLimit?: number;
        retryInterval?: number;
        refreshInterval?: number;
        onLockLost?: (error: Error) => void;
      },
    );
    acquire(): Promise<void>;
    tryAcquire(): Promise<boolean>;
    release(): Promise<void>;
  }
}

declare module 'redlock-universal' {
  import type { Redis } from 'ioredis';

  export class IoredisAdapter {
    constructor(client: Redis);
    getClient(): Redis;
  }

  export interface LockHandle {
    readonly id: string;
  }

  export function createRedlock(config: {
    adapters: IoredisAdapter[];
    key: string;
    ttl: number;
    retryAttempts?: number;
    retryDelay?: number;
  }): {
    acquire(): Promise<LockHandle>;
    release(handle: LockHandle): Promise<boolean>;
    using<T>(routine: (signal: AbortSignal) => Promise<T>): Promise<T>;
  };
}
