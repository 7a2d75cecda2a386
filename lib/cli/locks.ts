import { listLocks, type LockList } from '../client/lock-list.js';
import type { Command, Context } from './command.js';
import { noneFound, printGaps } from './gaps.js';
import { exitCodeOf, holderCells, toJson } from './holders.js';
import { cell } from './output.js';

/** Lists what is held. */
export const locks: Command = async ({ args, client, output }) => {
  const { prefix: keyPrefix, limit, ticks: withTicks, timeoutMs, json } = args;
  const [shard] = client.shards.list;
  if (shard === undefined) throw new Error('A client has at least one shard.');
  const list = await listLocks(shard, { keyPrefix, limit, withTicks, timeoutMs });
  if (json) output.json(toJsonList(list, args));
  else print(list, { args, output });
  return exitCodeOf(list.servers, 'failed');
};

function toJsonList(
  { locks, ticks, servers, isComplete }: LockList,
  { prefix, ticks: withTicks }: Context['args'],
): object {
  return {
    prefix,
    complete: isComplete,
    servers,
    locks: locks.map(toJson),
    ...(withTicks && {
      ticks: ticks.map(({ names, which, inspection }) => ({
        job: names,
        tick: tickText(which),
        ...toJson(inspection),
      })),
    }),
  };
}

function print(list: LockList, { args, output }: Pick<Context, 'args' | 'output'>): void {
  const { locks } = list;
  if (locks.length === 0) output.line(noneFound(`locks with the prefix "${cell(args.prefix)}"`, list));
  else {
    const rows = locks.map((each) => [cell(each.key), ...holderCells(each)]);
    output.table([['KEY', 'HOLDER', 'TIME LEFT', 'FENCING TOKEN', 'SERVERS'], ...rows]);
  }
  if (args.ticks) printTicks(list, output);
  printGaps(list, 'locks', { args, output });
}

function printTicks(list: LockList, output: Context['output']): void {
  const { ticks } = list;
  output.line();
  if (ticks.length === 0) {
    output.line(noneFound('claims of ticks', list));
    return;
  }
  const rows = ticks.map(({ names, which, inspection }) => [
    ...[cell(names.join(', ')), tickText(which)],
    ...holderCells(inspection),
  ]);
  output.table([['JOB', 'TICK', 'RUN BY', 'CLAIMED FOR', 'FENCING TOKEN', 'SERVERS'], ...rows]);
}

/** The time of a tick. Another program may have written one that no calendar has. */
function tickText(which: number | 'interval'): string {
  if (which === 'interval') return which;
  const time = new Date(which);
  return Number.isNaN(time.getTime()) ? String(which) : time.toISOString();
}
