import { ConfigurableModuleBuilder } from '@nestjs/common';
import { checkFlag, checkName } from './input/check.js';
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
      providers: [...(definition.providers ?? []), ...instance.providers],
      exports: [...(definition.exports ?? []), ...instance.exports],
    };
  })
  .build();
