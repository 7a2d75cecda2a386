import type { DynamicModule, INestApplication, LoggerService, NestApplicationOptions, Type } from '@nestjs/common';
import type { Server } from 'node:http';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { RedlockDashboardModule, type RedlockDashboardOptions } from 'redlock-nestjs/dashboard';
import { RedlockTestingModule } from 'redlock-nestjs/testing';
import type { JobsFace } from '../../../lib/dashboard/jobs-face.js';
import { RedlockJobs } from '../../../lib/redlock.jobs.js';

export type Platform = 'Express' | 'Fastify';

export interface DashboardAppOptions {
  /** Default: those of the application. */
  readonly jobs?: JobsFace;
  readonly platform?: Platform;
  readonly dashboard?: DynamicModule | RedlockDashboardOptions<never>;
  readonly imports?: (DynamicModule | Type)[];
  readonly logger?: LoggerService | false;
  /** Default: any that is free. */
  readonly port?: number;
  readonly appOptions?: NestApplicationOptions;
  /** The application, before it starts. */
  readonly prepare?: (app: INestApplication) => unknown;
}

export interface DashboardApp {
  readonly app: INestApplication;
  /** Without a path. */
  readonly url: string;
  /** Also ends connections that a browser has opened and never used: a server that closes would wait for these. */
  close(): Promise<void>;
}

/** An application with the page, that listens on this machine. */
export async function startDashboard(options: DashboardAppOptions): Promise<DashboardApp> {
  const { jobs, platform = 'Express', dashboard = { authorize: () => true }, logger = false } = options;
  const imports = [
    ...(options.imports ?? [RedlockTestingModule.forRoot()]),
    'module' in dashboard ? dashboard : RedlockDashboardModule.forRoot(dashboard),
  ];
  const builder = Test.createTestingModule({ imports });
  // Behind a function: Nest would look into the value.
  if (jobs !== undefined) builder.overrideProvider(RedlockJobs).useFactory({ factory: () => jobs });
  builder.setLogger(logger === false ? SILENT : logger);
  const module = await builder.compile();
  const app = module.createNestApplication(
    platform === 'Fastify' ? new FastifyAdapter() : new ExpressAdapter(),
    options.appOptions,
  );
  await options.prepare?.(app);
  await app.listen(options.port ?? 0, '127.0.0.1');
  const close = async (): Promise<void> => {
    const closed = app.close();
    (app.getHttpServer() as Server).closeAllConnections();
    await closed;
  };
  return { app, close, url: (await app.getUrl()).replace('[::1]', '127.0.0.1') };
}

function nothing(): void {
  // A test that looks at the log has a logger of its own.
}

const SILENT: LoggerService = {
  log: nothing,
  error: nothing,
  warn: nothing,
  debug: nothing,
  verbose: nothing,
  fatal: nothing,
};
