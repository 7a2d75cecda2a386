import { cyclesScenario } from './cycles.js';
import { job } from './job.js';
import { kept } from './kept.js';
import { decorator, javascript, listeners } from './memory.js';
import type { Scenario } from './scenario.js';
import { tick } from './tick.js';
import { tryHeld } from './try-held.js';
import { waitersScenario } from './waiters.js';

/** In the order of the table. `javascript` comes last, because what it counts may leave its process slower. */
export const SCENARIOS: readonly Scenario[] = [
  cyclesScenario({ name: 'alone', title: 'alone, same key', atOnce: 1, keys: 'same' }),
  cyclesScenario({ name: 'alone-new', title: 'alone, new keys', atOnce: 1, keys: 'fresh' }),
  cyclesScenario({ name: '64', title: '64 at once, same keys', atOnce: 64, keys: 'same' }),
  cyclesScenario({ name: '64-new', title: '64 at once, new keys', atOnce: 64, keys: 'fresh' }),
  cyclesScenario({ name: '512', title: '512 at once, same keys', atOnce: 512, keys: 'same' }),
  cyclesScenario({ name: '512-new', title: '512 at once, new keys', atOnce: 512, keys: 'fresh' }),
  cyclesScenario({ name: 'one-server', title: 'one server, 64 at once', atOnce: 64, keys: 'same', onlyOn: 1 }),
  tryHeld,
  waitersScenario('waiters-8', '8 waiters in a process', 1, 8),
  waitersScenario('waiters-4x4', '4 processes of 4 waiters', 4, 4),
  kept,
  job,
  tick,
  decorator,
  listeners,
  javascript,
];
