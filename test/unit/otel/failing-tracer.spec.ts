import { afterEach, describe, expect, it } from '@jest/globals';
import { Test, type TestingModule } from '@nestjs/testing';
import { BasicTracerProvider, type ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { RedlockService } from 'redlock-nestjs';
import { RedlockOtelModule } from 'redlock-nestjs/otel';
import { RedlockTestingModule } from 'redlock-nestjs/testing';

let app: TestingModule;
afterEach(() => app.close());

const nothing = (): void => undefined;
const fail = ({ name }: Pick<ReadableSpan, 'name'>): void => {
  throw new Error(`${name} cannot be recorded`);
};

async function boot(onStart: typeof fail, onEnd: typeof fail): Promise<RedlockService> {
  const processor = { onStart, onEnd, forceFlush: () => Promise.resolve(), shutdown: () => Promise.resolve() };
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [processor] });
  const imports = [RedlockTestingModule.forRoot(), RedlockOtelModule.forRoot({ tracerProvider })];
  app = await Test.createTestingModule({ imports }).compile();
  await app.init();
  return app.get(RedlockService);
}

describe('P10: tracing that fails changes nothing', () => {
  it.each([
    ['at the start', fail, nothing],
    ['at the end', nothing, fail],
  ])('%s of a span: the work runs, its result counts, and its lock is given back', async (_, onStart, onEnd) => {
    const redlock = await boot(onStart, onEnd);
    expect(await redlock.withLock('k', '5s', () => Promise.resolve(1))).toBe(1);
    expect((await redlock.inspect('k')).held).toBe(false);
  });

  const odd = (): never => {
    throw new Error('odd');
  };
  it.each([
    Object.assign(new Error('mine'), { code: Object.create(null) as unknown }),
    Object.defineProperty(new Error('mine'), 'code', { get: odd }),
    Object.defineProperty({}, 'name', { get: odd }),
  ])('of an error that cannot be recorded: it is passed on as it is: %#', async (thrown: unknown) => {
    const redlock = await boot(nothing, nothing);
    const work = (): Promise<never> => Promise.resolve().then(() => Promise.reject(thrown as Error));
    const caught = await redlock.withLock('k', '5s', work).catch((error: unknown) => error);
    expect(Object.is(caught, thrown)).toBe(true);
  });
});
