import { ServerError, type Connection } from './connection.js';
import { notInspected, parseInfo, warningsOn, type ServerInfo } from './server-info.js';
import type { ServerWarning } from './server-status.js';

/** What the inspection of a server has come to: it may vote, or why it may not. */
export type Verdict =
  { readonly state: 'ready' } | { readonly state: 'down' | 'refusing'; readonly text: string; readonly cause: Error };

export interface Inspection {
  readonly verdict: Verdict;
  readonly warnings: readonly ServerWarning[];
  /** Without it the server is not known: it allows no INFO, or did not answer. */
  readonly info?: ServerInfo;
}

/** Answers to INFO by which a server says that it takes no command at all. All others only say that INFO is not allowed. */
const LETS_NOBODY_IN = /^(NOAUTH|WRONGPASS|DENIED|LOADING|MASTERDOWN|BUSY|ERR max number of clients)/;

/**
 * Selects the database and asks for INFO, in this order: a client goes on in database 0 where its database is refused, and
 * locks that lie there exclude no process that has got the right one.
 *
 * @param duplicateOf the name of another server of the group that has this run id
 */
export async function inspectServer(
  connection: Connection,
  duplicateOf: (info: ServerInfo) => string | undefined,
): Promise<Inspection> {
  const { database } = connection;
  try {
    if (database > 0) await connection.call('select', [database]);
  } catch (error) {
    const { message } = error as Error;
    const text = `does not vote, because database ${database} cannot be selected: ${message}`;
    return { verdict: { state: 'refusing', text, cause: new Error(text) }, warnings: [] };
  }
  try {
    const info = parseInfo(String(await connection.call('info', [])));
    return { info, verdict: judge(info, duplicateOf(info)), warnings: warningsOn(info) };
  } catch (error) {
    const cause = error as Error;
    // A server that allows no INFO votes all the same. One that has not answered must be inspected before.
    if (cause instanceof ServerError && !LETS_NOBODY_IN.test(cause.message)) {
      return { verdict: { state: 'ready' }, warnings: [notInspected(cause)] };
    }
    return { verdict: { state: 'down', text: `cannot be used: ${cause.message}`, cause }, warnings: [] };
  }
}

function judge({ replica, loading }: ServerInfo, duplicate: string | undefined): Verdict {
  if (duplicate !== undefined) return no('down', `is the same server as ${duplicate}, listed twice: it has one vote`);
  if (replica) return no('refusing', 'is a replica: it does not vote');
  if (loading) return no('refusing', 'is loading its data (LOADING): it does not vote until it is done');
  return { state: 'ready' };
}

function no(state: 'down' | 'refusing', text: string): Verdict {
  return { state, text, cause: new Error(text) };
}

/** Refusals that may concern all keys of a server. */
const MAY_REFUSE_ALL =
  /\b(OOM|NOREPLICAS|NOPERM|READONLY|LOADING|MISCONF|MASTERDOWN|CLUSTERDOWN|NOAUTH|DENIED|BUSY|UNKILLABLE)\b/;

/** Whether a server that refuses a request with this may refuse all others, too. */
export function mayRefuseAll(message: string): boolean {
  return MAY_REFUSE_ALL.test(message);
}
