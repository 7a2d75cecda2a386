import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { metrics, trace, type Meter } from '@opentelemetry/api';
import { isServiceToken, nameOfToken } from '../redlock.constants.js';
import { RedlockEvents } from '../redlock.events.js';
import { TELEMETRY_TWICE } from '../redlock.messages.js';
import type { RedlockService } from '../redlock.service.js';
import { SCOPE } from './attributes.js';
import { CallMetrics } from './call-metrics.js';
import { CallSpans } from './call-spans.js';
import { HealthReader } from './health-reader.js';
import type { RedlockOtelOptions } from './redlock-otel.module.js';
import { ServerMetrics } from './server-metrics.js';

/** Injection token of the options of the module. */
export const OPTIONS = Symbol.for('redlock-nestjs:otel-options');

/** The applications that are recorded already. */
const recorded = new WeakSet<RedlockEvents>();

/** Records what the events of the application say, from its first call on. */
@Injectable()
export class RedlockTelemetry implements OnModuleInit, OnApplicationShutdown {
  readonly #meter: Meter;
  readonly #discovery: DiscoveryService;
  #stops: readonly (() => void)[] = [];

  constructor(
    events: RedlockEvents,
    discovery: DiscoveryService,
    @Inject(OPTIONS) { meterProvider, tracerProvider }: RedlockOtelOptions,
  ) {
    if (recorded.has(events)) throw new Error(TELEMETRY_TWICE);
    recorded.add(events);
    this.#discovery = discovery;
    this.#meter = (meterProvider ?? metrics.getMeterProvider()).getMeter(SCOPE);
    new CallMetrics(this.#meter).record(events);
    new CallSpans((tracerProvider ?? trace.getTracerProvider()).getTracer(SCOPE)).record(events);
  }

  onModuleInit(): void {
    this.#stops = this.#discovery.getProviders().flatMap(({ token, instance }) => {
      if (!isServiceToken(token)) return [];
      return [
        new ServerMetrics(this.#meter, new HealthReader(instance as RedlockService), nameOfToken(token)).record(),
      ];
    });
  }

  onApplicationShutdown(): void {
    for (const stop of this.#stops) stop();
  }
}
