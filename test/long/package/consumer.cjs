// An application in plain CommonJS, as a Nest 11 project compiles to. Prints one line of JSON.
require('reflect-metadata');
const { Injectable, Module } = require('@nestjs/common');
const { NestFactory } = require('@nestjs/core');
const { currentLock, LockContendedError, RedlockModule, RedlockService, WithLock } = require('redlock-nestjs');

class Jobs {
  run() {
    return Promise.resolve(currentLock().keys);
  }
}
const descriptor = Object.getOwnPropertyDescriptor(Jobs.prototype, 'run');
Object.defineProperty(Jobs.prototype, 'run', WithLock('job', '5s')(Jobs.prototype, 'run', descriptor));
Injectable()(Jobs);

class AppModule {}
Module({ imports: [RedlockModule.forRoot(process.argv.slice(2))], providers: [Jobs] })(AppModule);

async function main() {
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  const keys = await app.get(Jobs).run();

  // The other copy of the package in the same process means the same errors, tokens and context.
  const other = await import('redlock-nestjs');
  const service = app.get(other.getRedlockToken());
  const held = await service.withLock('held', '5s', async () => {
    const contended = await app
      .get(RedlockService)
      .acquire('held', '5s', { wait: 0 })
      .catch((error) => error);
    return {
      brands: [contended instanceof other.LockContendedError, contended instanceof LockContendedError],
      strange: contended instanceof other.LockLostError,
      current: other.currentLock()?.keys,
    };
  });
  await app.close();
  console.log(JSON.stringify({ keys, copies: other.WithLock === WithLock ? 1 : 2, ...held }));
}
main();
