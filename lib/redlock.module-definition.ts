import { ConfigurableModuleBuilder, type Provider } from '@nestjs/common';
import { checkFlag, checkName } from './client/options/check.js';
import type { RedlockModuleExtras, RedlockModuleOptions } from './interfaces/index.js';
import { createInstanceProviders } from './redlock.providers.js';

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = new ConfigurableModuleBuilder<RedlockModuleOptions>({
  moduleName: 'Redlock',
})
  .setClassMethodName('forRoot')
  .setFactoryMethodName('createRedlockOptions')
  .setExtras<RedlockModuleExtras>({ isGlobal: true, name: undefined }, (definition, { isGlobal = true, name }) => {
    checkFlag('isGlobal', isGlobal);
    checkName('name', name);
    const instance = createInstanceProviders(MODULE_OPTIONS_TOKEN, name);
    return {
      ...definition,
      global: isGlobal,
      providers: [...(definition.providers ?? []).map(hidden), ...instance.providers],
      exports: [...(definition.exports ?? []), ...instance.exports],
    };
  })
  .build();

/** The options behind a function: a dynamic module is printed, and options may hold passwords. */
function hidden(provider: Provider): Provider {
  if (typeof provider !== 'object' || !('useValue' in provider)) return provider;
  const value: unknown = provider.useValue;
  return { provide: provider.provide, useFactory: () => value };
}
