import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { INestApplicationContext, LoggerService, Type } from '@nestjs/common';
import { beOneOff } from '../../decorators/one-off.js';
import { printable } from '../../core/printable.js';
import { UsageError, type Arguments } from '../arguments.js';
import type { ExitCode } from '../command.js';
import type { Io } from '../io.js';
import { duration, type Output } from '../output.js';
import { errorText } from '../../core/error-text.js';

/**
 * Runs a job once, in this process: it becomes a replica of the application for as long as that takes, without a web server and
 * without the ticks of its schedule. Only the application has the code of its jobs. Its module also has the servers.
 */
export async function runJob(
  { key: job, app: file, urls, json }: Arguments,
  output: Output,
  io: Io,
): Promise<ExitCode> {
  if (urls.length > 0) throw new UsageError('run takes no servers: the module of the application has them');
  if (file === undefined) throw new UsageError('run takes --app <file>: the file that exports the root module');
  const path = resolve(file);
  beOneOff();
  const context = await start(rootModuleIn(await load(path, file), file), io);
  const run = { hasBegun: false };
  try {
    const { RedlockJobs } = await import('../../redlock.jobs.js');
    const jobs = own(context, path, 'RedlockJobs', RedlockJobs);
    const { startedAt, endedAt, outcome, fencingToken } = await jobs.runNow(job, {
      onBegun: () => (run.hasBegun = true),
    });
    const tookMs = endedAt === undefined ? 0 : endedAt.getTime() - startedAt.getTime();
    if (json) output.json({ job, outcome, tookMs, fencingToken });
    else output.line(`"${printable(job)}" has run: ${outcome} after ${duration(tookMs)}.`);
    return outcome === 'succeeded' ? 0 : 1;
  } catch (error) {
    if (!run.hasBegun) throw error;
    const text = errorText(error);
    if (json) output.json({ job, outcome: 'failed', error: text });
    else output.line(`"${printable(job)}" has run: failed: ${printable(text)}`);
    return 1;
  } finally {
    await context.close();
  }
}

async function load(path: string, file: string): Promise<Record<string, unknown>> {
  try {
    const { default: main, ...named } = (await import(pathToFileURL(path).href)) as Record<string, unknown>;
    // Of a CommonJS file the default is all that it exports.
    return { ...(typeof main === 'object' ? main : { default: main }), ...named };
  } catch (error) {
    throw new UsageError(`${file} cannot be loaded: ${errorText(error)}`);
  }
}

/** AppModule, or the only module that the file exports. */
function rootModuleIn(loaded: Record<string, unknown>, file: string): Type {
  const modules = new Set(Object.values(loaded).filter(isModule));
  const [first] = modules;
  const found = [...modules].find(({ name }) => name === 'AppModule') ?? (modules.size === 1 ? first : undefined);
  if (found !== undefined) return found;
  const what = modules.size === 0 ? 'no module' : 'several modules, and none is named AppModule';
  throw new UsageError(
    `${file} exports ${what}: name the compiled file of the root module, such as dist/app.module.js`,
  );
}

/** `@Module` leaves at least one of these on a class, also where it is empty. */
function isModule(value: unknown): value is Type {
  const parts = ['imports', 'providers', 'controllers', 'exports'];
  const hasMetadata = 'hasMetadata' in Reflect; // Not where the file has loaded nothing of Nest.
  return hasMetadata && typeof value === 'function' && parts.some((part) => Reflect.hasMetadata(part, value));
}

async function start(module: Type, io: Io): Promise<INestApplicationContext> {
  const { NestFactory } = await import('@nestjs/core');
  const say = (message: unknown): void => {
    io.err(`${String(message)}\n`);
  };
  const quiet = (): void => undefined;
  const logger: LoggerService = { log: quiet, debug: quiet, verbose: quiet, warn: say, error: say, fatal: say };
  // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- Nest names a class, and takes any object with these options
  return await NestFactory.createApplicationContext(module, { logger, abortOnError: false });
}

/** An application in CommonJS has its own copy of each class of this package. */
function own<T>(context: INestApplicationContext, path: string, name: string, ours: Type<T>): T {
  try {
    return context.get(ours, { strict: false });
  } catch {
    const theirs = createRequire(path)('redlock-nestjs') as Readonly<Record<string, Type<T>>>;
    return context.get(theirs[name] ?? ours, { strict: false });
  }
}
