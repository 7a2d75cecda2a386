import { listLocks } from '../client/lock-list.js';
import type { RedlockService } from '../redlock.service.js';
import { MORE_LOCKS, UNSEARCHED } from './messages.js';
import { idOf, lockRow, steady, type LockRow, type Place, type Rows } from './rows.js';

/** How many locks the page shows. */
const SHOWN_LOCKS = 1000;

/** How many calls of SCAN one server gets for one look: some 200,000 keys, about 0.2 s of its time. */
const MOST_CALLS = 200;

export interface Instance {
  readonly name: string | undefined;
  readonly service: RedlockService;
}

/** Lists the locks of all instances, of any holder. */
export class LockReader {
  #known: ReadonlyMap<string, LockRow> = new Map();

  constructor(private readonly instances: readonly Instance[]) {}

  /** The locks, and what keeps the list from being complete. */
  async read(): Promise<{ readonly locks: Rows; readonly gaps: readonly string[] }> {
    const rows = new Map<string, LockRow>();
    const gaps = new Set<string>();
    const places = new Set<string>();
    for (const { name, service } of this.instances) {
      // Two instances on the same servers with the same prefix have the same locks.
      if (service.isClosed || places.has(service.place)) continue;
      places.add(service.place);
      await this.#readInstance({ name, service }, rows, gaps);
    }
    this.#known = rows;
    return { locks: rows, gaps: [...gaps] };
  }

  async #readInstance({ name, service }: Instance, rows: Map<string, LockRow>, gaps: Set<string>): Promise<void> {
    const { settings, shards } = service.client;
    const { keyPrefix, nodeTimeoutMs: timeoutMs } = settings;
    const rules = { keyPrefix, limit: SHOWN_LOCKS, withTicks: false, timeoutMs, mostCalls: MOST_CALLS };
    const lists = await Promise.all(shards.list.map((shard) => listLocks(shard, rules)));
    const nowMs = Date.now();
    for (const [index, { locks, servers, isComplete }] of lists.entries()) {
      const place: Place = { ...(name !== undefined && { instance: name }), ...(shards.named && { shard: index }) };
      for (const each of locks) {
        if (rows.size === SHOWN_LOCKS) gaps.add(MORE_LOCKS(SHOWN_LOCKS));
        else this.#add(rows, idOf(name, index, each.key), lockRow(place, each, nowMs));
      }
      for (const { server, state, cause = '' } of servers) if (state === 'failed') gaps.add(UNSEARCHED(server, cause));
      if (!isComplete && servers.some(({ state }) => state === 'cut')) gaps.add(MORE_LOCKS(SHOWN_LOCKS));
    }
  }

  #add(rows: Map<string, LockRow>, id: string, row: LockRow): void {
    const until = steady(this.#known.get(id)?.until, row.until);
    rows.set(id, until === undefined ? row : { ...row, until });
  }
}
