export { RedlockLockStore, type LockAcquireResult } from './redlock-lock-store.js';
