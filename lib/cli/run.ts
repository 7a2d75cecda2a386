import type { RedisOptions } from 'ioredis';
import { isRedlockError } from '../core/errors/index.js';
import { Secrets } from '../redis/connection.js';
import { readArguments, UsageError, type Arguments, type CommandName } from './arguments.js';
import { withClient } from './client.js';
import type { Command, ExitCode } from './command.js';
import { doctor } from './doctor/doctor.js';
import { inspect } from './inspect.js';
import { history } from './jobs/history.js';
import { jobs } from './jobs/jobs.js';
import { runJob } from './jobs/run-job.js';
import { pause, resume } from './jobs/steer.js';
import type { Io } from './io.js';
import { locks } from './locks.js';
import { Output } from './output.js';
import { release } from './release.js';
import { toTargets } from './targets.js';
import { USAGE } from './usage.js';

/** By their names; `run` asks no servers by itself. */
const COMMANDS: Readonly<Record<Exclude<CommandName, 'run'>, Command>> = {
  ...{ doctor, locks, inspect, release },
  ...{ jobs, history, pause, resume },
};

/** Carries out a command line. Never rejects. */
export async function run(argv: readonly string[], io: Io, version: string): Promise<ExitCode> {
  let targets: RedisOptions[] = [];
  try {
    const args = readArguments(argv);
    if (typeof args === 'string') {
      io.out(args === 'help' ? USAGE : `${version}\n`);
      return 0;
    }
    if (args.command === 'run') return await runJob(args, new Output(io, secretsOf([], io)), io);
    targets = toTargets(args.urls, io.env);
    return await carryOut(args, COMMANDS[args.command], targets, io);
  } catch (error) {
    const output = new Output(io, secretsOf(targets, io));
    fail(error as Error, argv.includes('--json') ? output : undefined, io, secretsOf(targets, io));
    return 2;
  }
}

async function carryOut(
  args: Arguments,
  command: Command,
  targets: readonly RedisOptions[],
  io: Io,
): Promise<ExitCode> {
  const output = new Output(io, secretsOf(targets, io));
  return await withClient(targets, args, (client) => command({ args, client, output, io }));
}

/** Passwords of the environment are secrets, too, where a URL has its own. */
function secretsOf(targets: readonly RedisOptions[], { env }: Io): Secrets {
  const { REDLOCK_PASSWORD: password, REDLOCK_TLS_PASSPHRASE: passphrase } = env;
  return new Secrets(...targets, { password, tls: { passphrase } });
}

function fail(error: Error, json: Output | undefined, io: Io, secrets: Secrets): void {
  const code = isRedlockError(error) ? error.code : error instanceof UsageError ? 'USAGE' : 'FAILED';
  const message = secrets.messageOf(error);
  if (json !== undefined) json.json({ error: { code, message } });
  else io.err(`redlock-nestjs: ${message}\n${code === 'USAGE' ? 'See redlock-nestjs --help.\n' : ''}`);
}
