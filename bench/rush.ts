import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import 'reflect-metadata';
import { Module, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RedlockModule, RedlockService } from 'redlock-nestjs';
import { RedlockTestingModule } from 'redlock-nestjs/testing';
import { start, type Fleet } from '../test/support/fleet.js';

const HELP = `npm run bench:rush -- [options]

One process asks for many locks in the same instant, while it holds another one. Prints how long it took, what became of the
calls, how long the event loop stood still, and whether the lock was kept.

  --calls N     how many calls (8000)
  --keys N      how many keys in each (1)
  --same        all calls ask for the same key
  --cancel MS   one signal for all calls, which aborts after so long
  --wait MS     how long each call waits (10000)
  --servers N   on so many real servers; 0 is one in memory (0)
`;

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '8000' },
    keys: { type: 'string', default: '1' },
    same: { type: 'boolean', default: false },
    cancel: { type: 'string' },
    wait: { type: 'string', default: '10000' },
    servers: { type: 'string', default: '0' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) process.stdout.write(HELP);
else await run(Number(values.calls), Number(values.keys), Number(values.wait));

async function run(calls: number, keys: number, wait: number): Promise<void> {
  const fleet = Number(values.servers) > 0 ? await start(Number(values.servers), { direct: true }) : undefined;
  const app = await NestFactory.createApplicationContext(moduleFor(fleet), { logger: false });
  const service = app.get(RedlockService);
  const held = await service.acquire('held', '10s', { autoExtend: true });
  const signal = values.cancel === undefined ? undefined : AbortSignal.timeout(Number(values.cancel));

  const delays = monitorEventLoopDelay({ resolution: 10 });
  delays.enable();
  const heapBefore = process.memoryUsage().heapUsed;
  const startedAtMs = performance.now();
  const since = (): number => Math.round(performance.now() - startedAtMs);
  const outcomes = new Map<string, number>();
  let lastMs = 0;
  const asked = Array.from({ length: calls }, async (_, call) => {
    const key = values.same ? 'same' : Array.from({ length: keys }, (__, index) => `row:${call}:${index}`);
    const outcome = await service
      .withLock(key, '10s', () => Promise.resolve('granted'), { wait, signal })
      .catch((error: unknown) => (error as { code?: string }).code ?? String(error));
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    lastMs = since();
  });
  const enteredMs = since();
  const bytesPerCall = Math.round((process.memoryUsage().heapUsed - heapBefore) / calls);
  await Promise.all(asked);
  delays.disable();

  process.stdout.write(
    `${JSON.stringify({
      ...{ calls, keys, servers: fleet?.servers.length ?? 'memory' },
      ...{ enteredMs, lastMs, bytesPerCall, longestStallMs: Math.round(delays.max / 1e6) },
      ...{ kept: held.isHeld(), outcomes: Object.fromEntries(outcomes) },
    })}\n`,
  );
  await app.close();
  await fleet?.stop();
}

function moduleFor(fleet: Fleet | undefined): DynamicModule {
  @Module({})
  class App {}
  const imports = [fleet === undefined ? RedlockTestingModule.forRoot() : RedlockModule.forRoot(fleet.urls)];
  return { module: App, imports };
}
