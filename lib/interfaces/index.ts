export type { AcquireOptions, WithLockCallOptions, WithLockOptions } from './acquire-options.interface.js';
export type { Duration } from './duration.type.js';
export type {
  LockInspection,
  RedlockHealth,
  ServerHealth,
  ServerInspection,
  ServerState,
  ServerWarning,
  ShardHealth,
} from './inspection.interface.js';
export type { JobRun, JobStatus, RunOutcome, RunTrigger } from './jobs.interface.js';
export type { Lock } from './lock.interface.js';
export type {
  RedisClient,
  RedlockModuleAsyncOptions,
  RedlockModuleExtras,
  RedlockModuleOptions,
  RedlockOptions,
  RedlockOptionsFactory,
  RedlockServer,
} from './redlock-options.interface.js';
