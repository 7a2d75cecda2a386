import { afterEach, describe, expect, it } from '@jest/globals';
import { Global, Injectable, Module, type DynamicModule, type OnModuleDestroy, type Type } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { getRedlockToken, RedlockModule, RedlockService, WithLock } from 'redlock-nestjs';
import { CollectingLogger } from '../support/collecting-logger.js';
import { REDLOCK_SERVERS, RedlockMemory, RedlockTestingModule } from 'redlock-nestjs/testing';

const apps: TestingModule[] = [];
const logger = new CollectingLogger();
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

async function boot(imports: (DynamicModule | Type)[], providers: Type[] = []): Promise<TestingModule> {
  const app = await Test.createTestingModule({ imports, providers })
    .overrideProvider(REDLOCK_SERVERS)
    .useValue(new RedlockMemory())
    .setLogger(logger)
    .compile();
  apps.push(await app.init());
  return app;
}

const useFactory = (): { servers: string } => ({ servers: 'a:1' });

@Module({ imports: [RedlockModule.forRoot('a:1')] })
class Orders {}
@Module({ imports: [RedlockModule.forRoot('b:1', { isGlobal: false })] })
class Invoices {}
@Module({ imports: [RedlockModule.forRootAsync({ useFactory })] })
class Later {}
@Module({ imports: [RedlockModule.forRoot('a:1', { name: 'second' })] })
class Second {}
@Module({ imports: [RedlockModule.forRootAsync({ useFactory, name: 'second' })] })
class SecondAgain {}

describe('P16: one instance of a name in one application', () => {
  it.each<[string, Type[], RegExp]>([
    [
      'without a name',
      [Orders, Invoices],
      /^name: a RedlockModule without a name is registered twice .* by Orders and by Invoices/,
    ],
    [
      'with a factory',
      [Orders, Later],
      /without a name is registered twice .* by Orders and by Later.*forRoot once, .*name: 'second'/,
    ],
    ['of one name', [Second, SecondAgain], /^name: the RedlockModule "second" is registered twice/],
  ])('two %s do not boot, and the error names both and the ways out', async (_, modules, message) => {
    await expect(boot(modules)).rejects.toMatchObject({
      code: 'INVALID_OPTIONS',
      message: expect.stringMatching(message),
    });
  });

  it('other names, one module that several import, and other applications are fine', async () => {
    const shared = RedlockModule.forRoot('a:1');
    @Module({ imports: [shared] })
    class One {}
    @Module({ imports: [shared] })
    class Other {}
    const app = await boot([One, Other, Second]);
    expect(app.get(RedlockService)).not.toBe(app.get(getRedlockToken('second')));
    await boot([One, Second]);
  });

  it('its log lines have its name, on one line', async () => {
    const app = await boot([RedlockTestingModule.forRoot({ name: 'bill\ning' })]);
    const service = app.get<RedlockService>(getRedlockToken('bill\ning'));
    const again = (): Promise<unknown> => service.tryAcquire('job', '5s', { wait: 1 });
    await service.withLock('job', '5s', again);
    expect(logger.problems.at(-1)).toMatch(/^acquire asks for "job".* Redlock\(bill\\ning\)$/);
  });
});

describe('P15: shutdown', () => {
  it('waits for locked work before anything that the work uses is destroyed', async () => {
    const written: string[] = [];
    @Injectable()
    class Db implements OnModuleDestroy {
      isOpen = true;
      onModuleDestroy(): void {
        this.isOpen = false;
      }
      write(what: string): void {
        written.push(`${what}: ${this.isOpen ? 'open' : 'closed'}`);
      }
    }
    @Module({ providers: [Db], exports: [Db] })
    class DbModule {}
    @Global()
    @Module({ imports: [DbModule], exports: [DbModule] })
    class Deep {}
    let finish = (): void => undefined;
    @Injectable()
    class Job {
      constructor(readonly db: Db) {}
      @WithLock('job', '5s')
      async run(): Promise<void> {
        this.db.write('first');
        await new Promise<void>((resolve) => (finish = resolve));
        this.db.write('second');
      }
    }
    Reflect.defineMetadata('design:paramtypes', [Db], Job);
    for (const redlock of [RedlockTestingModule.forRoot(), RedlockTestingModule.forRoot({ isGlobal: false })]) {
      written.splice(0);
      const app = await boot([redlock, Deep], [Job]);
      const run = app.get(Job).run();
      while (written.length === 0) await new Promise(setImmediate);
      const closing = app.close();
      await new Promise(setImmediate);
      finish();
      await Promise.all([run, closing]);
      expect(written).toEqual(['first: open', 'second: open']);
    }
  });
});
