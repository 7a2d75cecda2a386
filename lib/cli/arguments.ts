import { parseArgs } from 'node:util';
import { toMs, toWhole } from '../client/options/check.js';

export const COMMANDS = ['doctor', 'locks', 'inspect', 'release'] as const;

export type CommandName = (typeof COMMANDS)[number];

/** A command line, checked. */
export interface Arguments {
  readonly command: CommandName;
  /** Of `inspect` and `release`. */
  readonly key: string;
  /** The servers; none where they are in the environment. */
  readonly urls: readonly string[];
  readonly json: boolean;
  readonly yes: boolean;
  readonly ticks: boolean;
  readonly prefix: string;
  readonly limit: number;
  /** How long a server may take to connect, and to answer. */
  readonly timeoutMs: number;
}

/** A command line that cannot be carried out. Its message repeats nothing of a URL, because a password may be in there. */
export class UsageError extends Error {}

const OPTIONS = {
  json: { type: 'boolean', default: false },
  yes: { type: 'boolean', short: 'y', default: false },
  ticks: { type: 'boolean', default: false },
  prefix: { type: 'string', default: 'redlock:' },
  limit: { type: 'string', default: '1000' },
  timeout: { type: 'string', default: '5s' },
  help: { type: 'boolean', short: 'h', default: false },
  version: { type: 'boolean', short: 'v', default: false },
} as const;

/** @throws UsageError, or InvalidOptionsError for a number or a duration */
export function readArguments(argv: readonly string[]): Arguments | 'help' | 'version' {
  const { values, positionals } = parse(argv);
  if (values.help) return 'help';
  if (values.version) return 'version';
  const [name, ...rest] = positionals;
  if (name === undefined) throw new UsageError(`a command is missing: ${COMMANDS.join(', ')}`);
  const command = COMMANDS.find((each) => each === name);
  if (command === undefined) throw new UsageError(`the first word is none of the commands ${COMMANDS.join(', ')}`);
  const { json, yes, ticks, prefix } = values;
  const limit = toWhole('--limit', /^\d{1,6}$/.test(values.limit) ? Number(values.limit) : values.limit, { least: 1 });
  const duration = /^\d+$/.test(values.timeout) ? Number(values.timeout) : values.timeout;
  const timeoutMs = toMs('--timeout', duration, { least: 1 });
  const needsKey = command === 'inspect' || command === 'release';
  const key = needsKey ? keyFrom(command, rest.shift()) : '';
  return { command, key, urls: rest, json, yes, ticks, prefix, limit, timeoutMs };
}

function parse(
  argv: readonly string[],
): ReturnType<typeof parseArgs<{ options: typeof OPTIONS; allowPositionals: true }>> {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    // Only the first sentence: what follows is advice for positional arguments.
    const [first = ''] = (error as Error).message.split('. ');
    throw new UsageError(/:\/\/|@/.test(first) ? 'an option is not known' : first);
  }
}

function keyFrom(command: string, key: string | undefined): string {
  if (key === undefined) throw new UsageError(`${command} takes a key first, and then the servers`);
  if (/^rediss?:\/\//i.test(key)) throw new UsageError(`${command} takes a key before the servers, got a URL`);
  return key;
}
