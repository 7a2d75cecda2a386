export type { RedlockEvent, RedlockEventMap, RedlockEventName } from './client/events.js';
export {
  InvalidOptionsError,
  LockContendedError,
  LockLostError,
  LockReleasedError,
  QuorumUnreachableError,
  RedlockError,
  RedlockShutdownError,
  type LossReason,
  type VoteReport,
} from './core/errors/index.js';
export type { Tick } from './cron/tick.js';
export { InjectRedlock } from './decorators/inject-redlock.decorator.js';
export { WithLock, type AsyncMethod, type LockDecorator, type LockKey } from './decorators/with-lock.decorator.js';
export type {
  AcquireOptions,
  Duration,
  JobRun,
  JobStatus,
  Lock,
  LockInspection,
  RedlockHealth,
  ServerHealth,
  ServerInspection,
  ServerState,
  ServerWarning,
  ShardHealth,
  RedisClient,
  RedlockModuleAsyncOptions,
  RedlockModuleExtras,
  RedlockModuleOptions,
  RedlockOptions,
  RedlockOptionsFactory,
  RedlockServer,
  RunOutcome,
  RunTrigger,
  WithLockCallOptions,
  WithLockOptions,
} from './interfaces/index.js';
export { RedlockEvents } from './redlock.events.js';
export { RedlockJobs, type JobOptions } from './redlock.jobs.js';
export type { AddedJob, AddedJobOptions } from './jobs/added-job.js';
export { RedlockExceptionFilter } from './redlock-exception.filter.js';
export { getRedlockToken } from './redlock.constants.js';
export { currentLock } from './client/lock-scope.js';
export { RedlockModule } from './redlock.module.js';
export { RedlockService } from './redlock.service.js';
