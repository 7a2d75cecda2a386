import type { ScannedServer } from '../client/lock-list.js';
import type { Context } from './command.js';

/** A list that the servers were searched for. */
export interface SearchedList {
  readonly servers: readonly ScannedServer[];
  readonly isComplete: boolean;
}

/** Prints what is missing from the list, and why. `what` is what it lists. */
export function printGaps(list: SearchedList, what: string, { args, output }: Pick<Context, 'args' | 'output'>): void {
  for (const gap of gapsIn(list.servers)) output.line(output.paint('yellow', gap));
  if (list.isComplete) return;
  const isCut = list.servers.some(({ state }) => state === 'cut');
  const why =
    isCut || gapsIn(list.servers).length === 0 ? `it ends after ${args.limit} ${what} (--limit)` : 'see above';
  output.line(output.paint('yellow', `The list may not be complete: ${why}.`));
}

/** What is printed in the place of an empty list. A server that was not searched may have what is looked for. */
export function noneFound(what: string, { servers }: Pick<SearchedList, 'servers'>): string {
  const searched = servers.filter(({ state }) => state !== 'failed').length;
  const where = searched === servers.length ? '' : `, on ${searched} of ${servers.length} servers`;
  return `No ${what}${where}.`;
}

/** A sentence about each server that was not searched. */
export function gapsIn(servers: readonly ScannedServer[]): string[] {
  const failed = servers.filter(({ state }) => state === 'failed');
  return failed.map(({ server, cause = '' }) => `${server} has not been searched: ${cause}`);
}
