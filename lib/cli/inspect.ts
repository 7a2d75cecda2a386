import { carriersIn, undecidedBy } from '../client/inspection.js';
import type { LockInspection } from '../interfaces/index.js';
import { printable } from '../core/printable.js';
import type { Command } from './command.js';
import { exitCodeOf, haveNotAnswered, stateOf, toJson } from './holders.js';
import { cell, duration, type Output } from './output.js';

/** Shows one key as each server sees it. It changes nothing. */
export const inspect: Command = async ({ args, client, output }) => {
  const inspection = await client.inspect(args.key);
  if (args.json) output.json(toJson(inspection));
  else printInspection(inspection, output);
  return exitCodeOf(inspection.servers, 'unknown');
};

export function printInspection(inspection: LockInspection, output: Output): void {
  output.line(summary(inspection));
  const rows = inspection.servers.map(({ server, state, owner, remainingMs, fencingToken, cause }) =>
    state === 'held'
      ? [server, state, cell(owner ?? ''), duration(remainingMs), String(fencingToken ?? '-')]
      : [server, state, cause ?? '', '', ''],
  );
  output.table([['SERVER', 'STATE', 'HOLDER', 'TIME LEFT', 'FENCING TOKEN'], ...rows]);
}

export function summary(inspection: LockInspection): string {
  const { key, owner = '', remainingMs, servers } = inspection;
  const name = `"${printable(key)}"`;
  switch (stateOf(inspection)) {
    case 'majority':
      return `${name} is held by ${printable(owner)}: ${duration(remainingMs)} left, unless the holder extends or releases it.`;
    case 'minority':
      return `${name} is not held: no holder has a majority of the servers.`;
    case 'unknown': {
      const share = `${carriersIn(servers).length} of ${servers.length} servers have one holder`;
      return `${name} may be held: ${share}, and ${haveNotAnswered(undecidedBy(inspection))}.`;
    }
    case 'none':
      return servers.some(({ state }) => state === 'unknown')
        ? `${name} is free on the servers that have answered.`
        : `${name} is free.`;
  }
}
