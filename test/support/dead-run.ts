import { counterKey, lockKey, registerKey, tickKey } from '../../lib/client/keys.js';
import type { RunTrigger } from '../../lib/core/ports/job-note.js';
import type { RedlockService } from '../../lib/redlock.service.js';

interface DeadRun {
  /** The key of its lock, and its name. */
  readonly job: string;
  readonly tickMs: number;
  readonly ttlMs: number;
  readonly trigger?: RunTrigger;
}

let deaths = 0;

/** Leaves behind what a replica does that takes the lock of a job, and is killed then. */
export function leaveDeadRun({ client }: RedlockService, { job, tickMs, ttlMs, trigger = 'schedule' }: DeadRun): void {
  const lock = lockKey(client.settings.keyPrefix, job);
  const ofTick = { key: tickKey([lock], tickMs), ttlMs: 600_000, staysBehind: true };
  const claims = [{ key: lock, ttlMs, counter: counterKey(lock), retentionMs: 600_000 }, ofTick];
  const start = { trigger, tickMs, startedAtMs: Date.now() };
  const request = {
    kind: 'acquire',
    token: `dead.${++deaths}`,
    owner: 'dead:1',
    claims,
    job: { key: registerKey([lock]), start },
  } as const;
  for (const { node } of client.shards.servers) {
    node.execute(
      [request],
      ([reply]) => {
        if (reply?.outcome !== 'granted') throw new Error(`The run was not begun: ${String(reply?.outcome)}`);
      },
      () => undefined,
    );
  }
}
