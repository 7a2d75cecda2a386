import { measureCycles } from './cycles.js';
import type { Scenario } from './scenario.js';

const name = 'try-held';
const title = 'try on a held lock';

/** One try at a lock that another client holds. */
export const tryHeld: Scenario = {
  name,
  title,
  run: async (bench, servers) =>
    await measureCycles(bench, {
      ...{ name, title, servers, isAlone: true },
      ask: (contestant, forMs, counting = false) =>
        bench.processOf(contestant).ask('tries', { contestant, urls: bench.urls(servers), forMs, counting }),
    }),
};
