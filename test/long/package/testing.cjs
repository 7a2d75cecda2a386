// The test of an application in plain CommonJS. Prints one line of JSON.
require('reflect-metadata');
const { Module } = require('@nestjs/common');
const { NestFactory } = require('@nestjs/core');
const { currentLock, getRedlockToken } = require('redlock-nestjs');
const { RedlockMemory, RedlockTestingModule } = require('redlock-nestjs/testing');

/** An application whose locks are in this memory. The module may come from the other copy of the package. */
async function replica(testing, memory) {
  class AppModule {}
  Module({ imports: [testing.forRoot({ memory })] })(AppModule);
  return await NestFactory.createApplicationContext(AppModule, { logger: false });
}

async function main() {
  const other = await import('redlock-nestjs/testing');
  const memory = new RedlockMemory();
  const apps = [await replica(RedlockTestingModule, memory), await replica(other.RedlockTestingModule, memory)];
  const [one, two] = apps.map((app) => app.get(getRedlockToken()));
  const held = await one.withLock('job', '1h', async () => ({
    keys: currentLock().keys,
    refused: (await two.tryAcquire('job', '1h')) === null,
  }));
  const waiting = await one.acquire('job', '1h', { autoExtend: true });
  const woken = two.acquire('job', '1h');
  await apps[0].close();
  console.log(JSON.stringify({ ...held, lost: waiting.signal.aborted, woken: (await woken).isHeld() }));
  await apps[1].close();
}
main();
