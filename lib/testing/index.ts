export { REDLOCK_SERVERS } from '../redlock.constants.js';
export { RedlockMemory } from './redlock-memory.js';
export { RedlockTestingModule, type RedlockTestingOptions } from './redlock-testing.module.js';
