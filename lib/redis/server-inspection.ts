import { call, ServerError, type Connection } from './connection.js';
import { CLUSTER_WARNING, notInspected, parseInfo, warningsOn, type ServerInfo } from './server-info.js';
import type { ServerWarning } from './server-status.js';

/** The result of an inspection: the server may vote, or why it may not. */
export type Verdict =
  { readonly state: 'ready' } | { readonly state: 'down' | 'refusing'; readonly text: string; readonly cause: Error };

export interface Inspection {
  readonly verdict: Verdict;
  readonly warnings: readonly ServerWarning[];
  /** Undefined if the server allows no INFO, or did not answer. */
  readonly info?: ServerInfo;
}

/** Errors of INFO that mean that the server accepts no command at all. All other errors only mean that it does not allow INFO. */
const LETS_NOBODY_IN = /^(NOAUTH|WRONGPASS|DENIED|LOADING|MASTERDOWN|BUSY|ERR max number of clients)/;

/**
 * Selects the database, then asks for INFO. If the server refuses the database, it must not vote: a client would continue in database
 * 0, and locks there do not exclude the processes that use the right database.
 *
 * @param duplicateOf the name of another server of the group that has this run id
 */
export async function inspectServer(
  connection: Connection,
  duplicateOf: (info: ServerInfo) => string | undefined,
): Promise<Inspection> {
  const { database, clustered } = connection;
  if (clustered) return { verdict: { state: 'ready' }, warnings: [CLUSTER_WARNING] };
  try {
    if (database > 0) await call(connection, 'select', [database]);
  } catch (error) {
    const { message } = error as Error;
    const text = `does not vote, because database ${database} cannot be selected: ${message}`;
    return { verdict: { state: 'refusing', text, cause: new Error(text) }, warnings: [] };
  }
  try {
    const info = parseInfo(String(await call(connection, 'info', [])));
    return { info, verdict: judge(info, duplicateOf(info)), warnings: warningsOn(info) };
  } catch (error) {
    const cause = error as Error;
    // A server that does not allow INFO votes nevertheless. A server that has not answered must be inspected first.
    if (cause instanceof ServerError && !LETS_NOBODY_IN.test(cause.message)) {
      return { verdict: { state: 'ready' }, warnings: [notInspected(cause)] };
    }
    return { verdict: { state: 'down', text: `cannot be used: ${cause.message}`, cause }, warnings: [] };
  }
}

function judge({ sentinel, replica, loading }: ServerInfo, duplicate: string | undefined): Verdict {
  if (duplicate !== undefined) return no('down', `is the same server as ${duplicate}, listed twice: it has one vote`);
  if (sentinel) return no('refusing', 'is a Sentinel, which keeps no locks: give { sentinels, name } instead');
  if (replica) return no('refusing', 'is a replica: it does not vote');
  if (loading) return no('refusing', 'is loading its data (LOADING): it does not vote until it is done');
  return { state: 'ready' };
}

function no(state: 'down' | 'refusing', text: string): Verdict {
  return { state, text, cause: new Error(text) };
}
