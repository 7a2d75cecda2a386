import type { NodeState } from '../core/ports/lock-node.js';
import { SilenceError } from './connection.js';
import type { RestartGuard } from './restart-guard.js';
import type { Verdict } from './server-inspection.js';

/**
 * What a server is to this process:
 *
 * - `connecting`: the first try to connect has had no outcome yet.
 * - `ready`: it votes.
 * - `down`: it cannot be reached, or does not let this process in; the reason is that of the last try.
 * - `silent`: it is connected and does not answer.
 * - `refusing`: it answers, and refuses what a lock needs: it is full, read-only, loading, or lacks replicas or permissions.
 * - `quarantined`: it may have forgotten locks, and does not vote until these have expired.
 *
 * @publicApi
 */
export type ServerState = 'ready' | 'connecting' | 'down' | 'silent' | 'refusing' | 'quarantined';

/** The state of a server, since when it has been in it, and why it does not vote, or not yet on all keys. */
export interface ServerStatus {
  readonly state: ServerState;
  /** On the wall clock of this process. */
  readonly since: Date;
  readonly reason?: string;
}

/**
 * Something about a server that endangers locks, or is good to know. The code is stable, the message is for people.
 *
 * @publicApi
 */
export interface ServerWarning {
  readonly code:
    | 'may-evict'
    | 'cluster-node'
    | 'cluster'
    | 'no-append-only-file'
    | 'not-inspected'
    | 'client-resends'
    | 'fencing-counter';
  readonly message: string;
}

/** What is known of a server. */
export interface Facts {
  /** The outcome of the last try to connect, or undefined while there is none. */
  readonly connection: NodeState | undefined;
  /** Undefined until the server has been inspected on this connection. */
  readonly verdict: Verdict | undefined;
  /** Why it does not answer on this connection, if it does not. */
  readonly silence: string | undefined;
  /** Why it has refused a write, if it has refused the last one. */
  readonly refusal: Error | undefined;
  readonly guard: Pick<RestartGuard, 'leftMs' | 'longestLeftMs' | 'loss'>;
}

/** A state with its reason, and with the words for the log. */
export interface Assessment {
  readonly state: ServerState;
  readonly reason?: string;
  readonly text: string;
}

/** The state that follows from the facts, or undefined where they say nothing new. */
export function assess({ connection, verdict, silence, refusal, guard }: Facts): Assessment | undefined {
  if (connection?.status === 'down' && !(connection.cause instanceof SilenceError)) {
    const { message } = connection.cause;
    return { state: 'down', reason: message, text: `cannot be reached: ${message}` };
  }
  const silent = connection?.status === 'down' ? connection.cause.message : silence;
  if (silent !== undefined) return { state: 'silent', reason: silent, text: `does not answer: ${silent}` };
  if (verdict === undefined) return undefined;
  if (verdict.state !== 'ready') return { state: verdict.state, reason: verdict.cause.message, text: verdict.text };
  if (refusal !== undefined) {
    const { message } = refusal;
    return { state: 'refusing', reason: message, text: `refuses to write, so it does not vote: ${message}` };
  }
  const leftMs = Math.ceil(guard.leftMs());
  const longestLeftMs = Math.ceil(guard.longestLeftMs);
  const isLonger = longestLeftMs > leftMs;
  if (leftMs > 0) {
    const more = isLonger ? `, and on ticks and longer holds in up to ${longestLeftMs} ms` : '';
    const reason = `may have forgotten locks; votes in ${leftMs} ms${more}`;
    return { state: 'quarantined', reason, text: `${guard.loss}, and may have forgotten locks: it is quarantined` };
  }
  const reason = `votes, but on ticks and longer holds up to ${longestLeftMs} ms later`;
  return { state: 'ready', text: 'votes again', ...(isLonger && { reason }) };
}
