import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { RedlockModuleExtras, RedlockModuleOptions } from './interfaces/index.js';
import { createInstanceProviders } from './redlock.providers.js';

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = new ConfigurableModuleBuilder<RedlockModuleOptions>({
  moduleName: 'Redlock',
})
  .setClassMethodName('forRoot')
  .setFactoryMethodName('createRedlockOptions')
  .setExtras<RedlockModuleExtras>({ isGlobal: true, name: undefined }, (definition, { isGlobal = true, name }) => {
    const { providers, exports } = createInstanceProviders(MODULE_OPTIONS_TOKEN, name);
    return {
      ...definition,
      global: isGlobal,
      providers: [...(definition.providers ?? []), ...providers],
      exports: [...(definition.exports ?? []), ...exports],
    };
  })
  .build();
