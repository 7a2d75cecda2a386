/** A way to lock on N servers: this package, another one, or plain ioredis. */
export interface Contestant {
  /** Takes the lock of the key and gives it back. Nothing else wants it. */
  cycle(key: string): Promise<void>;

  /** Tries once to take a lock. Resolves to whether it was granted; then the lock stays until its ttl is over. */
  tryOnce(key: string): Promise<boolean>;

  /** Waits for the lock, for so long at the most. Resolves to the function that gives it back, or to undefined when it was not granted. */
  take(key: string, waitMs: number): Promise<(() => Promise<unknown>) | undefined>;

  /** Runs the job once, each time for its next tick. The others have no jobs. */
  tick?(job: string): Promise<void>;

  /** Takes the lock and extends it until `stop()`. Plain ioredis does not extend. */
  keep?(key: string, ttlMs: number): Promise<Kept>;
}

export interface Kept {
  isHeld(): boolean;
  stop(): Promise<unknown>;
}

/** Of locks that are given back at once, or kept. */
export const TTL_MS = 10_000;

/** Of locks that several processes wait for. Short, so that votes which a library leaves behind do not stop it for long. */
export const WAITED_TTL_MS = 1_000;

/** How often libraries that poll ask again. Their defaults are 10 to 200 ms; with less they take a free lock sooner, and ask more. */
export const RETRY_MS = 5;

/** After so many retries a library is asked anew: `redlock` keeps the votes of a split vote for as long as it retries. Its default. */
export const RETRIES = 10;
