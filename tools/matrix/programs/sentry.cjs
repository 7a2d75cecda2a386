// What @SentryCron of @sentry/nestjs sends of one tick on three replicas: one check-in below @WithLock, three above it.
require('reflect-metadata');
const { Module } = require('@nestjs/common');
const { NestFactory } = require('@nestjs/core');
const { Cron, ScheduleModule } = require('@nestjs/schedule');
const Sentry = require('@sentry/nestjs');
const { RedlockModule, WithLock } = require('redlock-nestjs');

const checkIns = [];

const transport = () => ({
  send([, items]) {
    for (const [{ type }, { monitor_slug: slug, status }] of items) {
      if (type === 'check_in') checkIns.push(`${slug} ${status}`);
    }
    return Promise.resolve({});
  },
  flush: () => Promise.resolve(true),
});

/** The jobs `below` and `above`, at one instant. */
function jobsAt(instant) {
  class Jobs {
    async below() {}
    async above() {}
  }
  const decorate = (name, ...decorators) => {
    for (const decorator of decorators.reverse()) {
      const descriptor = Object.getOwnPropertyDescriptor(Jobs.prototype, name);
      Object.defineProperty(Jobs.prototype, name, decorator(Jobs.prototype, name, descriptor) ?? descriptor);
    }
  };
  decorate('below', Cron(instant), WithLock('below', '10s'), Sentry.SentryCron('below'));
  decorate('above', Cron(instant), Sentry.SentryCron('above'), WithLock('above', '10s'));
  return Jobs;
}

async function main(urls) {
  Sentry.init({ dsn: 'http://key@127.0.0.1:1/1', transport, defaultIntegrations: false });
  const tick = new Date(Date.now() + 3000);
  const providers = [jobsAt(tick)];
  const replicas = [];
  for (let count = 0; count < 3; count++) {
    class AppModule {}
    Module({ imports: [ScheduleModule.forRoot(), RedlockModule.forRoot(urls)], providers })(AppModule);
    replicas.push(await NestFactory.createApplicationContext(AppModule, { logger: ['warn', 'error'] }));
  }
  await new Promise((resolve) => setTimeout(resolve, tick.getTime() + 1000 - Date.now()));
  for (const replica of replicas) await replica.close();
  const counted = ['below in_progress', 'below ok', 'above in_progress', 'above ok'].map(
    (what) => checkIns.filter((seen) => seen === what).length,
  );
  if (counted.join() !== '1,1,3,3' || checkIns.length !== 8) throw new Error(`check-ins: ${checkIns.join()}`);
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
