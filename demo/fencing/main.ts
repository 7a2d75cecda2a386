import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RedlockModule, RedlockService, type Lock } from 'redlock-nestjs';
import { start } from '../../test/support/fleet.js';
import { Jobs } from './jobs.js';

/**
 * A writer is paused for longer than its lock lives. It then continues as if it had the lock, and the database refuses
 * its write. Two applications of one process stand for two replicas; the servers and the database are real.
 */
process.exitCode = (await main()) ? 0 : 1;

async function main(): Promise<boolean> {
  await using fleet = await start(3, { direct: true });
  await using jobs = await Jobs.create();
  const replicas = await Promise.all([boot(fleet.urls), boot(fleet.urls)]);
  try {
    const [first, second] = replicas.map((app) => app.get(RedlockService)) as [RedlockService, RedlockService];
    return await run(first, second, jobs);
  } finally {
    await Promise.all(replicas.map((app) => app.close()));
  }
}

async function run(first: RedlockService, second: RedlockService, jobs: Jobs): Promise<boolean> {
  // A lock from `acquire` is not extended automatically, so it ends as the lock of a paused process does.
  const stale = await first.acquire('job:1', '1s');
  say(`replica-1 has the lock, with the fencing token ${stale.fencingToken}`);
  const begun = await write('replica-1', stale, 'half done by replica-1');

  say('replica-1 is paused for longer than its ttl, and replica-2 waits for the lock');
  const newer = await second.acquire('job:1', '10s', { wait: '5s' });
  say(`replica-2 has the lock, with the fencing token ${newer.fencingToken}`);
  const finished = await write('replica-2', newer, 'done by replica-2');
  await newer.release();

  say(
    `replica-1 continues${stale.isHeld() ? '' : '; its signal has aborted, but its statement was on the wire already'}`,
  );
  const overwritten = await write('replica-1', stale, 'done by replica-1');

  const result = await jobs.read(1);
  say(`the row says: ${result}`);
  return begun && finished && !overwritten && result === 'done by replica-2';

  async function write(replica: string, { fencingToken }: Lock, what: string): Promise<boolean> {
    const written = await jobs.write(1, what, fencingToken);
    say(`${replica} writes "${what}": ${written ? '1 row' : '0 rows, refused: a newer lock has written'}`);
    return written;
  }
}

function boot(urls: string[]): Promise<INestApplicationContext> {
  @Module({ imports: [RedlockModule.forRoot(urls)] })
  class ReplicaModule {}
  // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- a class by name, that Nest itself never makes
  return NestFactory.createApplicationContext(ReplicaModule, { logger: ['error', 'warn'] });
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
