import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Cron } from '@nestjs/schedule';
import { SpanStatusCode, trace } from '@opentelemetry/api';
import { RedlockService, WithLock } from 'redlock-nestjs';
import { RedlockOtelModule } from 'redlock-nestjs/otel';
import { scheduledApps } from '../../support/scheduled-app.js';
import { registerTracing, Telemetry, unregisterTracing } from '../../support/telemetry.js';

@Injectable()
class Jobs {
  fails = false;

  @Cron('0 * * * * *')
  @WithLock('invoices', '20s')
  async send(): Promise<void> {
    const span = trace.getTracer('the application').startSpan('query');
    await new Promise((resolve) => setTimeout(resolve, 100));
    span.end();
    if (this.fails) throw new Error('no paper');
  }
}

describe('a tick, as OpenTelemetry sees it', () => {
  const apps = scheduledApps();
  let telemetry: Telemetry;
  beforeEach(() => {
    telemetry = new Telemetry();
    registerTracing(telemetry);
  });
  afterEach(async () => {
    unregisterTracing();
    await telemetry.shutdown();
  });

  async function boot(replicas: number) {
    const booted = [];
    // By the global tracer provider, as in an application.
    const { meterProvider } = telemetry.options;
    for (let i = 0; i < replicas; i++)
      booted.push(await apps.boot([Jobs], [RedlockOtelModule.forRoot({ meterProvider })]));
    return booted;
  }

  it('is one run and two skips on three replicas', async () => {
    await boot(3);
    await apps.seconds(2);
    const ofJob = { 'redlock.job': 'invoices', 'code.function.name': 'Jobs.send' };
    expect(await telemetry.points('redlock.job.runs')).toMatchObject([
      { value: 1, attributes: { ...ofJob, 'redlock.outcome': 'succeeded', 'redlock.trigger': 'schedule' } },
    ]);
    const skips = await telemetry.points('redlock.skips');
    expect(skips.reduce((sum, { value }) => sum + value, 0)).toBe(2);
    for (const { attributes } of skips) {
      expect(attributes).toEqual({ ...ofJob, 'redlock.reason': expect.stringMatching(/^(locked|already-ran)$/) });
    }
    expect(telemetry.spansOf('redlock.hold')).toHaveLength(1);
    const waits = telemetry.spansOf('redlock.acquire');
    expect(waits).toHaveLength(3);
    const skipped = waits.filter(({ attributes }) => 'redlock.skipped' in attributes);
    expect(skipped).toHaveLength(2);
    for (const { attributes, status } of skipped) {
      expect(attributes['redlock.skipped']).toMatch(/^(locked|already-ran)$/);
      expect(status.code).toBe(SpanStatusCode.UNSET);
    }
  });

  it('has the span of the work around what the work does, and names the tick', async () => {
    await boot(2);
    await apps.seconds(2);
    const [hold] = telemetry.spansOf('redlock.hold');
    const [query, ...more] = telemetry.spansOf('query');
    expect(more).toEqual([]);
    expect(query!.parentSpanContext?.spanId).toBe(hold!.spanContext().spanId);
    expect(query!.spanContext().traceId).toBe(hold!.spanContext().traceId);
    expect(hold!.attributes).toEqual({
      'redlock.keys': ['invoices'],
      'redlock.job': 'invoices',
      'redlock.tick': '2026-03-01T02:00:00.000Z',
      'redlock.fencing_token': expect.any(Number),
      'code.function.name': 'Jobs.send',
    });
    const granted = telemetry.spansOf('redlock.acquire').find(({ attributes }) => !('redlock.skipped' in attributes));
    expect(granted!.attributes['redlock.fencing_token']).toBe(hold!.attributes['redlock.fencing_token']);
  });

  it('tells a run that has failed from others', async () => {
    const [app] = await boot(1);
    app!.get(Jobs).fails = true;
    await apps.seconds(2);
    expect(await telemetry.points('redlock.job.runs')).toMatchObject([
      { value: 1, attributes: { 'redlock.outcome': 'failed', 'redlock.trigger': 'schedule' } },
    ]);
    const [hold] = telemetry.spansOf('redlock.hold');
    expect(hold!.status).toEqual({ code: SpanStatusCode.ERROR, message: 'no paper' });
    expect(hold!.attributes['error.type']).toBe('Error');
    expect(hold!.events).toMatchObject([{ name: 'exception' }]);
  });

  it('tells a run that lost its lock from others', async () => {
    const [app] = await boot(1);
    const redlock = app!.get(RedlockService);
    await apps.seconds(0.55);
    expect(await redlock.forceRelease('invoices')).toBe(true);
    await apps.seconds(2);
    expect(await telemetry.points('redlock.job.runs')).toMatchObject([{ attributes: { 'redlock.outcome': 'lost' } }]);
    expect(await telemetry.points('redlock.losses')).toMatchObject([
      {
        value: 1,
        attributes: { 'redlock.reason': 'taken', 'redlock.had_work': true, 'code.function.name': 'Jobs.send' },
      },
    ]);
    expect(telemetry.spansOf('redlock.hold')[0]!.attributes['error.type']).toBe('LOCK_LOST');
  });

  it('counts what the shutdown has kept from running', async () => {
    const [app] = await boot(1);
    await app!.get(RedlockService).drain();
    await apps.seconds(2);
    expect(await telemetry.points('redlock.skips')).toMatchObject([{ attributes: { 'redlock.reason': 'closing' } }]);
  });
});
