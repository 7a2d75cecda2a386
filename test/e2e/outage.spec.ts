import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Injectable, Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Cron, ScheduleModule } from '@nestjs/schedule';
import { getRedlockToken, RedlockModule, WithLock, type RedlockService } from 'redlock-nestjs';
import { CollectingLogger } from '../support/collecting-logger.js';
import { eventually } from '../support/eventually.js';
import { start, type Fleet, type FleetServer } from '../support/fleet.js';

/** A server gets a quarter of it to answer, which a machine with other work may need. */
const TTL = '2s';

/** Two replicas with one job a second, while one thing after another happens to their five servers: a bad hour, in seconds. */
/** On a busy machine a server that is started again takes connections before it answers. What is said of that is left out here. */
function withoutSlowStarts(lines: readonly string[]): string[] {
  const lost = new Set<string>();
  return lines.filter((line) => {
    const [, server, isBack, isSilent] = /^warn: (Server \S+) (?:(votes again)|(does not answer))?/.exec(line) ?? [];
    if (server === undefined) return true;
    if (isSilent !== undefined && lost.has(server)) return false;
    if (isBack === undefined) lost.add(server);
    else lost.delete(server);
    return true;
  });
}

describe('the log of a replica in a bad hour', () => {
  let fleet: Fleet;
  const logger = new CollectingLogger();
  const apps: INestApplicationContext[] = [];
  const services: RedlockService[] = [];

  beforeAll(async () => {
    fleet = await start(5, { args: ['--appendonly', 'yes', '--appendfsync', 'always'] });
    for (const name of ['one', 'two']) {
      @Injectable()
      class Invoices {
        @Cron('* * * * * *')
        @WithLock('invoices', TTL, { instance: name })
        send(): Promise<void> {
          return Promise.resolve();
        }
      }
      const redlock = RedlockModule.forRoot(fleet.urls, { name, nodeTimeout: '5s', clockTolerance: 0 });
      @Module({ imports: [ScheduleModule.forRoot(), redlock], providers: [Invoices] })
      class AppModule {}
      const app = await NestFactory.createApplicationContext(AppModule, { logger });
      apps.push(app);
      services.push(app.get<RedlockService>(getRedlockToken(name)));
    }
    for (const service of services) {
      await eventually(async () => (await service.health()).voting === 5, { what: 'all servers vote' });
    }
  });
  afterAll(async () => {
    for (const app of apps) await app.close();
    await fleet.stop();
  });

  const linesOf = (name: string): string[] =>
    withoutSlowStarts(
      logger.lines
        .filter(({ level, text }) => level !== 'debug' && text.endsWith(` Redlock(${name})`))
        .map(({ level, text }) => `${level}: ${text.slice(0, -` Redlock(${name})`.length)}`),
    );

  /** Both logs say so. Only their jobs ask the servers anything: what the log does not say without a call of `health` is not there at night. */
  async function voting(count: number): Promise<void> {
    const words = `${count} of 5 servers vote`;
    await eventually(() => ['one', 'two'].every((name) => linesOf(name).at(-1)?.includes(words)), { what: words });
  }

  /** What happens to a server, and what ends it. All replicas see both. */
  async function during(fault: () => Promise<unknown>, mend?: () => Promise<unknown>): Promise<void> {
    await fault();
    await voting(4);
    await mend?.();
    await voting(5);
  }

  /** Ticks that met no quorum: the scheduler has written the error of each. */
  const unreachable = (): string[] => logger.printedErrors.filter((text) => text.includes('QuorumUnreachableError'));

  it('is retold by its lines', async () => {
    const [killed, hung, full, emptied, forbidden] = fleet.servers as [
      FleetServer,
      FleetServer,
      FleetServer,
      FleetServer,
      FleetServer,
    ];
    await during(
      () => killed.kill(),
      () => killed.restart(),
    );
    await during(
      () => hung.pause(),
      () => hung.resume(),
    );
    await during(
      () => full.command('CONFIG', 'SET', 'maxmemory', '1'),
      () => full.command('CONFIG', 'SET', 'maxmemory', '0'),
    );
    await during(
      () => forbidden.command('ACL', 'SETUSER', 'default', '-set'),
      () => forbidden.command('ACL', 'SETUSER', 'default', '+@all'),
    );
    await during(() => emptied.command('FLUSHALL'));
    const lost = [killed, hung, full];
    for (const server of lost) await server.kill();
    await voting(2);
    await eventually(() => unreachable().length >= 4);
    for (const server of lost) await server.restart();
    await voting(5);

    const at = ({ host, port }: FleetServer): string => `Server ${host}:${port}`;
    const back = '(\\d+ ms|\\d+ s)';
    const four = '4 of 5 servers vote, and 3 are needed';
    const five = '5 of 5 servers vote, and 3 are needed';
    const outages: [string, string][] = [
      ['log', '5 servers: a lock needs 3 of them'],
      ['warn', `${at(killed)} cannot be reached: .+; ${four}`],
      ['warn', `${at(killed)} votes again, after ${back}; ${five}`],
      ['warn', `${at(hung)} does not answer: no answer (within|for) \\d+ ms; ${four}`],
      ['warn', `${at(hung)} votes again, after ${back}; ${five}`],
      ['warn', `${at(full)} refuses to write, so it does not vote: .*OOM.*; ${four}`],
      ['warn', `${at(full)} votes again, after ${back}; ${five}`],
      ['warn', `${at(forbidden)} refuses to write, so it does not vote: .*can't run this command.*; ${four}`],
      ['warn', `${at(forbidden)} votes again, after ${back}; ${five}`],
      [
        'warn',
        `${at(emptied)} has lost its data, and may have forgotten locks: it is quarantined for \\d+ ms \\(on ticks and longer holds for up to ${back}\\), ` +
          `until those locks have expired; ${four}`,
      ],
      [
        'warn',
        `${at(emptied)} votes again, after ${back}; ${five}; on ticks and longer holds it does not vote for up to ${back} more`,
      ],
    ];
    for (const name of ['one', 'two']) {
      const lines = linesOf(name);
      expect(lines.length).toBeLessThan(60);
      expect(lines.slice(0, outages.length)).toEqual(
        outages.map(([level, text]) => expect.stringMatching(new RegExp(`^${level}: ${text}\\.$`))),
      );
      const ofTheQuorum = lines.slice(outages.length);
      expect(ofTheQuorum.filter((line) => line.startsWith('error: '))).toEqual([
        'error: The quorum is lost: 2 of 5 servers vote, and 3 are needed. ' +
          'No lock can be granted, and no locked job runs, until that many vote.',
        expect.stringMatching(
          new RegExp(
            `^error: The quorum is back, after ${back}: 3 of 5 servers vote, and 3 are needed. Locks are granted again(, and the ticks of jobs in up to ${back})?\\.$`,
          ),
        ),
      ]);
      expect(ofTheQuorum).toHaveLength(2 + 2 * lost.length);
    }
    // The scheduler wrote one line for each tick that met no quorum, without frames of this package and without a countdown.
    for (const line of unreachable()) expect(line).not.toMatch(/\n|\bin \d+ ms/);
    // A replica says of each tick whether it ran it, or why not.
    const debug = logger.of('debug').filter((line) => line.includes('Invoices.send'));
    expect(
      debug.filter((line) => /^Invoices\.send has run on this replica, tick \S+Z, in \d+ ms\./.test(line)),
    ).not.toEqual([]);
    expect(
      debug.filter((line) => /^Skipped \((locked|already-ran)\): Invoices\.send, tick \S+Z\. /.test(line)),
    ).not.toEqual([]);
  });
});
