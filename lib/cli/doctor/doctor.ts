import type { Command, Context } from '../command.js';
import { duration, type Output, type Style } from '../output.js';
import type { Level } from './advice.js';
import { examine, type Examination } from './examine.js';
import { judge, type Diagnosis, type Finding } from './judge.js';

/** Looks at the servers as the module would, and says what is wrong and what to do. */
export const doctor: Command = async ({ args, client, output }) => {
  const servers = await examine(client, args.timeoutMs);
  const diagnosis = judge(servers);
  if (args.json) output.json(toJson(servers, diagnosis, args));
  else print(servers, diagnosis, output);
  return diagnosis.exitCode;
};

function toJson(
  servers: readonly Examination[],
  { findings, sound, needed, exitCode }: Diagnosis,
  { prefix }: Context['args'],
): object {
  const shown = servers.map(({ health: { warnings: _, ...health }, offsetMs }) => ({
    ...health,
    ...(offsetMs !== undefined && { clockOffsetMs: offsetMs }),
  }));
  return { exitCode, prefix, sound, needed, servers: shown, findings };
}

function print(servers: readonly Examination[], diagnosis: Diagnosis, output: Output): void {
  const { findings, sound, needed, exitCode } = diagnosis;
  const rows = servers.map(({ health: { server, state, version = '-', latencyMs }, offsetMs }) => [
    ...[server, state, version],
    ...[duration(latencyMs), offsetMs === undefined ? '-' : `${offsetMs > 0 ? '+' : ''}${offsetMs} ms`],
  ]);
  output.table([['SERVER', 'STATE', 'VERSION', 'A LOCK TAKES', 'CLOCK'], ...rows]);
  if (findings.length > 0) output.line();
  for (const each of findings) output.line(lineOf(each, output));
  output.line();
  const count = `${sound} of ${servers.length} servers can be counted on, and a lock needs ${needed}`;
  output.line(output.paint(VERDICT_STYLES[exitCode], `${VERDICTS[exitCode]}: ${count}.`));
}

const VERDICTS = ['All is well', 'Locks work, with warnings', 'Locks are not safe, or cannot be had'] as const;
const VERDICT_STYLES = ['green', 'yellow', 'red'] as const satisfies readonly Style[];
const STYLES = { error: 'red', warning: 'yellow', note: 'dim' } as const satisfies Record<Level, Style>;

/** What is wrong: what it means: what to do. */
function lineOf({ level, server, what, means, todo }: Finding, output: Output): string {
  const subject = server === undefined ? what : `${server} ${what}`;
  return `${output.paint(STYLES[level], level)}: ${subject}: ${means}: ${todo}.`;
}
