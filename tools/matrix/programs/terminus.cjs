// Whether the health check of @nestjs/terminus takes the answer of this package: up, and down where too few servers can be counted on.
require('reflect-metadata');
const { Module } = require('@nestjs/common');
const { NestFactory } = require('@nestjs/core');
const { HealthCheckService, TerminusModule } = require('@nestjs/terminus');
const { RedlockModule, RedlockService } = require('redlock-nestjs');
const { RedlockHealthIndicator } = require('redlock-nestjs/terminus');

const NOBODY = 'redis://127.0.0.1:1';

async function check(servers) {
  class AppModule {}
  Module({ imports: [TerminusModule, RedlockModule.forRoot(servers)], providers: [RedlockHealthIndicator] })(AppModule);
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  const indicator = app.get(RedlockHealthIndicator);
  // By its answer each server is known.
  await app
    .get(RedlockService)
    .withLock('health', '1s', async () => {})
    .catch(() => undefined);
  try {
    return await app.get(HealthCheckService).check([() => indicator.isHealthy('locks')]);
  } catch (error) {
    return error.getResponse(); // As the controller answers: 503.
  } finally {
    await app.close();
  }
}

async function main(urls) {
  const [up, down] = [await check(urls), await check([urls[0], NOBODY, 'redis://127.0.0.1:2'])];
  const said = JSON.stringify({ up, down });
  if (up.status !== 'ok' || up.info.locks.status !== 'up') throw new Error(`not up: ${said}`);
  if (down.status !== 'error' || down.error.locks.status !== 'down') throw new Error(`not down: ${said}`);
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
