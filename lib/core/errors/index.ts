export { InvalidOptionsError } from './invalid-options.error.js';
export { LockContendedError } from './lock-contended.error.js';
export { LockLostError, type LossReason } from './lock-lost.error.js';
export { LockReleasedError } from './lock-released.error.js';
export { QuorumUnreachableError } from './quorum-unreachable.error.js';
export { RedlockShutdownError } from './redlock-shutdown.error.js';
export { isRedlockError, RedlockError, type VoteReport } from './redlock.error.js';
