import type { Clock } from '../core/ports/clock.js';
import type { NodeState } from '../core/ports/lock-node.js';
import { sleep, withinMs } from '../core/wait.js';

/** What the check of a server needs of the one that watches it. */
export interface CheckedServer {
  state(): NodeState;
  /** Whether it was connected before, and a connection is being made again. */
  isConnectingAgain(): boolean;
  /** Inspects the server and tries a write. Never rejects. */
  ask(): Promise<unknown>;
}

/** What a check has found. Nothing, where the server is known not to vote. */
export interface CheckResult {
  readonly latencyMs?: number;
  readonly silence?: string;
  readonly down?: Error;
}

/** Many servers close idle connections, and a new one is mostly there by then. */
const LOOK_EVERY_MS = 10;

/** Settles within the timeout. */
export async function checkServer(server: CheckedServer, clock: Clock, timeoutMs: number): Promise<CheckResult> {
  const endAtMs = clock.nowMs() + timeoutMs;
  while (server.isConnectingAgain() && clock.nowMs() < endAtMs) await sleep(clock, LOOK_EVERY_MS);
  if (server.isConnectingAgain()) {
    return { down: new Error(`its connection was closed, and none was made again within ${timeoutMs} ms`) };
  }
  if (server.state().status !== 'ready') return {};
  const startedAtMs = clock.nowMs();
  const asked = server.ask().then(() => true);
  const hasAnswered = await withinMs(clock, asked, endAtMs - startedAtMs);
  return hasAnswered ? { latencyMs: clock.nowMs() - startedAtMs } : { silence: `no answer within ${timeoutMs} ms` };
}
