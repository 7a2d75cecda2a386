import { Module, type DynamicModule } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import type { MeterProvider, TracerProvider } from '@opentelemetry/api';
import { RedlockEventsModule } from '../redlock.events.js';
import { OPTIONS, RedlockTelemetry } from './redlock-telemetry.js';

/** @publicApi */
export interface RedlockOtelOptions {
  /** Default: the global one. */
  meterProvider?: MeterProvider;
  /** Default: the global one. */
  tracerProvider?: TracerProvider;
}

/**
 * Metrics and spans of all `RedlockModule`s of the application, by OpenTelemetry. Import it once, in the root module: a
 * second import fails the start. The SDK is the application's own, and must be started before the application is made: without an SDK
 * nothing is recorded.
 *
 * @publicApi
 */
@Module({})
export class RedlockOtelModule {
  static forRoot(options: RedlockOtelOptions = {}): DynamicModule {
    return {
      module: RedlockOtelModule,
      imports: [DiscoveryModule, RedlockEventsModule],
      // Behind a function: Nest would make a key for the module of all that is in a value.
      providers: [{ provide: OPTIONS, useFactory: () => options }, RedlockTelemetry],
    };
  }
}
