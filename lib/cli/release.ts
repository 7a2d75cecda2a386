import { printable } from '../core/printable.js';
import type { LockInspection } from '../interfaces/index.js';
import { UsageError } from './arguments.js';
import type { Command, Context, ExitCode } from './command.js';
import { exitCodeOf, stateOf, toJson } from './holders.js';
import { printInspection, summary } from './inspect.js';

/** Frees a key, after it was confirmed: the lock that was shown, never the lock of a later holder. */
export const release: Command = async (context) => {
  const { args, client, output, io } = context;
  const { key, yes } = args;
  if (!yes && !io.canAsk) throw new UsageError('release takes --yes where there is no terminal to ask on');
  const inspection = await client.inspect(key);
  if (exitCodeOf(inspection.servers, 'unknown') === 2) return report(context, inspection, false, 2);
  if (stateOf(inspection) === 'none') return report(context, inspection, false, 1);
  if (!args.json) printInspection(inspection, output);
  if (!yes && !(await isConfirmed(context, inspection))) return report(context, inspection, false, 1);
  const tokens = new Set(inspection.servers.flatMap(({ token }) => token ?? []));
  const isReleased = await client.remove(key, tokens);
  return report(context, inspection, isReleased, isReleased ? 0 : 1);
};

async function isConfirmed({ io }: Context, inspection: LockInspection): Promise<boolean> {
  const { key, owner } = inspection;
  const name = `"${printable(key)}"${owner === undefined ? '' : ` of ${printable(owner)}`}`;
  const question = `Release ${name}? Work under this lock may then overlap with that of another process. [y/N] `;
  return /^\s*y(es)?\s*$/i.test(await io.ask(question));
}

function report({ args, output }: Context, inspection: LockInspection, isReleased: boolean, code: ExitCode): ExitCode {
  if (args.json) output.json({ released: isReleased, before: toJson(inspection) });
  else if (isReleased) output.line('Released. The signal of the holder aborts when it extends the lock.');
  else if (code === 2) output.line('Not released: too few servers have answered.');
  else output.line(stateOf(inspection) === 'none' ? `Not released. ${summary(inspection)}` : 'Not released.');
  return code;
}
