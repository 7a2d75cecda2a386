import { expect, it } from '@jest/globals';
import { Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { RedlockOtelModule } from 'redlock-nestjs/otel';
import { RedlockTestingModule } from 'redlock-nestjs/testing';
import { Telemetry } from '../../support/telemetry.js';
import { telemetryApp } from '../../support/telemetry-app.js';

it('an application that imports RedlockOtelModule twice does not start: it would count everything twice', async () => {
  const telemetry = new Telemetry();
  @Module({ imports: [RedlockOtelModule.forRoot(telemetry.options)] })
  class FeatureModule {}
  const imports = [RedlockTestingModule.forRoot(), RedlockOtelModule.forRoot(telemetry.options), FeatureModule];
  await expect(Test.createTestingModule({ imports }).compile()).rejects.toThrow(
    'RedlockOtelModule is imported twice in one application',
  );
  // Two applications in one process are none.
  const apps = [await telemetryApp(telemetry), await telemetryApp(telemetry)];
  for (const app of apps) await app.close();
  await telemetry.shutdown();
});
