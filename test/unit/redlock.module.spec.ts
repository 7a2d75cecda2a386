import { describe, expect, it } from '@jest/globals';
import type { DynamicModule, FactoryProvider, Provider } from '@nestjs/common';
import { getRedlockToken, RedlockModule, RedlockService, type RedlockModuleOptions } from 'redlock-nestjs';
import { SETTINGS } from '../../lib/redlock.constants.js';
import type { Settings } from '../../lib/client/options/module-options.js';

const useFactory = (): RedlockModuleOptions => ({ servers: 'a:1' });

/** The options as the module hands them on, checked and complete. */
function settingsOf({ providers = [] }: DynamicModule): Settings {
  const tokenOf = (provider: Provider): unknown => (typeof provider === 'object' ? provider.provide : provider);
  const settings = providers.find((provider) => tokenOf(provider) === SETTINGS) as FactoryProvider;
  const [token] = settings.inject as unknown[];
  const options = providers.find((provider) => tokenOf(provider) === token) as FactoryProvider;
  return settings.useFactory(options.useFactory()) as Settings;
}

const namesOf = ({ shards }: Settings): string[][] => shards.map((specs) => specs.map(({ name }) => name));

describe('RedlockModule', () => {
  it.each<[string, () => DynamicModule, string[][]]>([
    ['a server and options', () => RedlockModule.forRoot('a:1', { keyPrefix: 'mine:', wait: 7 }), [['a:1']]],
    [
      'several',
      () => RedlockModule.forRoot(['a:1', { port: 2 }], { keyPrefix: 'mine:', wait: 7 }),
      [['a:1', 'localhost:2']],
    ],
    [
      'one object',
      () => RedlockModule.forRoot({ servers: ['a:1', 'b:1'], keyPrefix: 'mine:', wait: 7 }),
      [['a:1', 'b:1']],
    ],
    [
      'shards',
      () => RedlockModule.forRoot({ shards: [['a:1'], ['b:1']], keyPrefix: 'mine:', wait: 7 }),
      [['a:1'], ['b:1']],
    ],
  ])('forRoot takes %s', (_, module, names) => {
    const settings = settingsOf(module());
    expect(settings).toMatchObject({ keyPrefix: 'mine:', waitMs: 7, sharded: names.length > 1 });
    expect(namesOf(settings)).toEqual(names);
  });

  it('forRoot: isGlobal and name are for the module, not for the instance', () => {
    const module = RedlockModule.forRoot({ servers: 'a:1', isGlobal: false, name: 'second' });
    expect(module.global).toBe(false);
    expect(namesOf(settingsOf(module))).toEqual([['a:1']]);
  });

  it.each<[string, DynamicModule, boolean]>([
    ['by default', RedlockModule.forRoot('a:1'), true],
    ['when told so', RedlockModule.forRoot('a:1', { isGlobal: true }), true],
    ['by default, with a factory', RedlockModule.forRootAsync({ useFactory }), true],
    ['by default, without a word', RedlockModule.forRootAsync({ useFactory, isGlobal: undefined }), true],
    ['not when told so', RedlockModule.forRoot('a:1', { isGlobal: false }), false],
    ['not when told so, with a factory', RedlockModule.forRootAsync({ useFactory, isGlobal: false }), false],
  ])('is global %s', (_, module, isGlobal) => {
    expect(module.global).toBe(isGlobal);
  });

  it.each<[string, DynamicModule, unknown[]]>([
    ['the class and its token without a name', RedlockModule.forRoot('a:1'), [RedlockService, getRedlockToken()]],
    ['the same with a factory', RedlockModule.forRootAsync({ useFactory }), [RedlockService, getRedlockToken()]],
    ['its token with a name', RedlockModule.forRoot('a:1', { name: 'second' }), [getRedlockToken('second')]],
    [
      'the same with a factory',
      RedlockModule.forRootAsync({ useFactory, name: 'second' }),
      [getRedlockToken('second')],
    ],
  ])('exports %s', (_, module, exports) => {
    expect(module.exports).toEqual(exports);
  });

  it('P16: refuses bad options at once, and with a factory when it has given them', () => {
    expect(() => RedlockModule.forRoot('a:1', { wait: 'long' as '1s' })).toThrow(/^wait: /);
    const { providers = [] } = RedlockModule.forRootAsync({ useFactory });
    const settings = providers.find((each) => (each as FactoryProvider).provide === SETTINGS) as FactoryProvider;
    expect(() => settings.useFactory({ servers: [] }) as unknown).toThrow(/^servers: /);
  });
});
