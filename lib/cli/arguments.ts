import { parseArgs } from 'node:util';
import { checkReason } from '../client/jobs/check-reason.js';
import { toMs, toWhole } from '../client/options/check.js';

export const COMMANDS = ['doctor', 'locks', 'inspect', 'release', 'jobs', 'history', 'pause', 'resume', 'run'] as const;

export type CommandName = (typeof COMMANDS)[number];

/** A command line, checked. */
export interface Arguments {
  readonly command: CommandName;
  /** Of `inspect` and `release`; of `history`, `pause`, `resume` and `run` the name of the job. */
  readonly key: string;
  /** The servers; none where they are in the environment. */
  readonly urls: readonly string[];
  readonly json: boolean;
  readonly yes: boolean;
  readonly ticks: boolean;
  readonly prefix: string;
  /** Of `pause`. Default: until the job is resumed. */
  readonly forMs?: number;
  readonly reason: string;
  readonly limit: number;
  /** Of `run`: the file that exports the root module of the application. */
  readonly app?: string;
  /** Of `history`, `pause` and `resume`: all keys that the job locks. */
  readonly lockKeys?: readonly string[];
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
  for: { type: 'string' },
  reason: { type: 'string', default: '' },
  app: { type: 'string' },
  key: { type: 'string', multiple: true },
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
  const timeoutMs = toMs('--timeout', numberIn(values.timeout), { least: 1 });
  const forMs = values.for === undefined ? undefined : toMs('--for', numberIn(values.for), { least: 1 });
  checkReason('--reason', values.reason);
  if (command !== 'pause' && (forMs !== undefined || values.reason !== ''))
    throw new UsageError(`--for and --reason are options of pause, not of ${command}`);
  const what = WHAT[command];
  const key = what === undefined ? '' : keyFrom(command, what, rest.shift());
  const common = { command, key, urls: rest, json, yes, ticks, prefix, limit, timeoutMs, reason: values.reason };
  const { app, key: lockKeys } = values;
  const named = { ...(app !== undefined && { app }), ...(lockKeys !== undefined && { lockKeys }) };
  return { ...common, ...named, ...(forMs !== undefined && { forMs }) };
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

const JOB = 'the name of a job';

/** What a command takes before the servers. */
const WHAT: Readonly<Partial<Record<CommandName, string>>> = {
  inspect: 'a key',
  release: 'a key',
  history: JOB,
  pause: JOB,
  resume: JOB,
  run: JOB,
};

/** A number without a unit is in milliseconds. */
function numberIn(text: string): string | number {
  return /^\d+$/.test(text) ? Number(text) : text;
}

function keyFrom(command: string, what: string, key: string | undefined): string {
  if (key === undefined) throw new UsageError(`${command} takes ${what} first, and then the servers`);
  if (key === '' && what === JOB) throw new UsageError(`${command} takes ${what}, got an empty text`);
  if (/^rediss?:\/\//i.test(key)) throw new UsageError(`${command} takes ${what} before the servers, got a URL`);
  return key;
}
