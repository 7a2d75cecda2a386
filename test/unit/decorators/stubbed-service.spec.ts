import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { RedlockService, WithLock } from 'redlock-nestjs';
import { RedlockTestingModule } from 'redlock-nestjs/testing';

/** As `mockDeep` of jest-mock-extended and vitest-mock-extended: each property is a mock function, and has such properties. */
function mockDeep(target: object = {}): object {
  const made = new Map<PropertyKey, unknown>();
  return new Proxy(target, {
    get: (_, property) => {
      if (property === 'then' || property === Symbol.iterator) return undefined;
      if (!made.has(property)) made.set(property, mockDeep(jest.fn()));
      return made.get(property);
    },
  });
}

@Injectable()
class Host {
  @WithLock('key')
  run(): Promise<string> {
    return Promise.resolve('ran');
  }
}

describe('the boot of an application whose service is a stand-in', () => {
  let app: TestingModule | undefined;
  afterEach(() => app?.close());

  async function boot(service: object): Promise<TestingModule> {
    const builder = Test.createTestingModule({ imports: [RedlockTestingModule.forRoot()], providers: [Host] });
    app = await builder.overrideProvider(RedlockService).useValue(service).compile();
    await app.init();
    return app;
  }

  it('takes a deep mock', async () => {
    const booted = await boot(mockDeep());
    expect(await booted.get(Host).run()).toBeUndefined();
  });

  it('takes one with withLock alone, whose other properties throw when they are read', async () => {
    const booted = await boot({
      withLock: (_key: string, _ttl: unknown, work: (lock: unknown) => Promise<unknown>) => work({}),
      get client(): never {
        throw new Error('this test has no servers');
      },
    });
    expect(await booted.get(Host).run()).toBe('ran');
  });
});
