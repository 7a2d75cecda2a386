// An application in plain CommonJS with a health indicator, OpenTelemetry and the page. Prints one line of JSON.
require('reflect-metadata');
const { Module } = require('@nestjs/common');
const { NestFactory } = require('@nestjs/core');
const { TerminusModule } = require('@nestjs/terminus');
const { getRedlockToken } = require('redlock-nestjs');
const { RedlockDashboardModule } = require('redlock-nestjs/dashboard');
const { RedlockOtelModule } = require('redlock-nestjs/otel');
const { RedlockHealthIndicator } = require('redlock-nestjs/terminus');
const { RedlockTestingModule } = require('redlock-nestjs/testing');

/** The providers of an SDK, as far as this needs them. */
const told = { grants: 0, spans: [] };
const instrument = (name) => ({ add: (count) => name === 'redlock.grants' && (told.grants += count), record() {} });
const meter = {
  createHistogram: instrument,
  createCounter: instrument,
  createObservableGauge: instrument,
  addBatchObservableCallback() {},
  removeBatchObservableCallback() {},
};
const span = { setAttribute() {}, end() {} };
const tracer = { startActiveSpan: (name, _, run) => (told.spans.push(name), run(span)) };

async function main() {
  class AppModule {}
  Module({
    imports: [
      TerminusModule.forRoot({ logger: false }),
      RedlockTestingModule.forRoot(),
      RedlockDashboardModule.forRoot({ authorize: () => true }),
      RedlockOtelModule.forRoot({
        meterProvider: { getMeter: () => meter },
        tracerProvider: { getTracer: () => tracer },
      }),
    ],
    providers: [RedlockHealthIndicator],
  })(AppModule);
  const app = await NestFactory.create(AppModule, { logger: false });
  await app.listen(0, '127.0.0.1');
  const url = `${await app.getUrl()}/redlock`;
  const page = [(await fetch(url)).status, (await fetch(`${url}/page.js`)).status];
  await app.get(getRedlockToken()).withLock('job', '10s', async () => {});
  const { locks } = await app.get(RedlockHealthIndicator).isHealthy('locks');
  await app.close();
  console.log(JSON.stringify({ status: locks.status, ...told, page }));
}
main();
