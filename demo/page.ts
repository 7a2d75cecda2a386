import {
  Body,
  Controller,
  ForbiddenException,
  Get,
  Header,
  Headers,
  Inject,
  Module,
  Post,
  Redirect,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { SchedulerRegistry } from '@nestjs/schedule';
import { RedlockDashboardModule } from 'redlock-nestjs/dashboard';
import type { Fleet, FleetServer } from '../test/support/fleet.interface.js';
import type { ReplicaProcess } from './replica-process.js';
import type { Replicas } from './replicas.js';

/** What can be broken, and where that is told. */
export interface Targets {
  readonly fleet: Fleet;
  readonly replicas: Replicas;
  readonly announce: (text: string) => void;
}

const TARGETS = Symbol('targets');

const OF_SERVER: Readonly<Record<string, (server: FleetServer) => Promise<void>>> = {
  kill: (server) => server.kill(),
  stall: (server) => server.pause(),
  'go on': (server) => server.resume(),
  restart: (server) => server.restart(),
  'restart without data': (server) => server.restart({ data: false }),
};

const OF_REPLICA: Readonly<Record<string, (replica: ReplicaProcess) => void>> = {
  kill: (replica) => {
    replica.kill();
  },
  'clock 2 s ahead': (replica) => {
    replica.shiftClock(2_000);
  },
  'right clock': (replica) => {
    replica.shiftClock(0);
  },
};

/** Buttons that break servers and replicas. */
@Controller()
class BreakController {
  constructor(@Inject(TARGETS) private readonly targets: Targets) {}

  @Get()
  @Header('Content-Type', 'text/html; charset=utf-8')
  @Header('Content-Security-Policy', "default-src 'none'; form-action 'self'; frame-ancestors 'none'")
  show(): string {
    const { fleet, replicas } = this.targets;
    return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>Break things</title><h1>Break things</h1>
<p>See on <a href="/redlock" target="redlock">the dashboard</a> and in the terminal what comes of it.</p>
<h2>Servers</h2>${fleet.servers.map(({ name, url }) => rowOf(`${name}, ${new URL(url).host}`, name, OF_SERVER)).join('')}
<h2>Replicas</h2>${replicas.alive.map(({ name }) => rowOf(name, name, OF_REPLICA)).join('')}
${rowOf('One more', 'replicas', { start: undefined })}</html>`;
  }

  @Post('break')
  @Redirect('/', 303)
  async break(
    @Body() body: Record<string, string>,
    @Headers('sec-fetch-site') site: string | undefined,
  ): Promise<void> {
    if (site !== undefined && site !== 'same-origin') throw new ForbiddenException();
    const { fleet, replicas, announce } = this.targets;
    const { name = '', what = '' } = body;
    const server = fleet.servers.find((each) => each.name === name);
    const replica = replicas.alive.find((each) => each.name === name);
    try {
      if (server !== undefined) await OF_SERVER[what]?.(server);
      else if (replica !== undefined) OF_REPLICA[what]?.(replica);
      else if (name === 'replicas') await replicas.add().ready;
      announce(`by hand: ${name} ${what}`);
    } catch (error) {
      announce(`not by hand: ${name} ${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

function rowOf(label: string, name: string, deeds: object): string {
  const buttons = Object.keys(deeds).map((what) => `<button name="what" value="${what}">${what}</button>`);
  return `<form method="post" action="/break"><input type="hidden" name="name" value="${name}">${label} ${buttons.join(' ')}</form>`;
}

/** Serves the dashboard, and the buttons, to this machine. This process still runs no tick: its timers are stopped. */
export async function servePage(targets: Targets): Promise<AsyncDisposable & { readonly url: string }> {
  process.env.REDIS_URLS = targets.fleet.urls.join(',');
  const { AppModule } = await import('./app/app.module.js');
  @Module({
    imports: [AppModule, RedlockDashboardModule.forRoot()],
    controllers: [BreakController],
    providers: [{ provide: TARGETS, useFactory: () => targets }],
  })
  class PageModule {}
  // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- a class by name, that Nest itself never makes
  const app = await NestFactory.create(PageModule, { logger: false, forceCloseConnections: true });
  await app.init();
  for (const job of app.get(SchedulerRegistry).getCronJobs().values()) void job.stop();
  await app.listen(Number(process.env.PORT ?? 0), '127.0.0.1');
  return { url: await app.getUrl(), [Symbol.asyncDispose]: () => app.close() };
}
