/*
 * Three replicas of a scheduled application in one process, observed by one of the tools. Runs one tick and prints what the tool has
 * seen, as one line of JSON. In a process of its own: Jest cannot load a CommonJS package that requires Nest 12.
 */
import 'reflect-metadata';
import { Injectable, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Cron, ScheduleModule } from '@nestjs/schedule';
import { createObserveModule } from '@nestjs/observe';
import { getCurrentScope, withMonitor, type Client } from '@sentry/core';
import { Span } from 'nestjs-otel';
import { WithLock } from 'redlock-nestjs';
import { RedlockOtelModule } from 'redlock-nestjs/otel';
import { RedlockMemory, RedlockTestingModule } from 'redlock-nestjs/testing';
import { registerTracing, Telemetry } from '../../support/telemetry.js';

const [, , tool = ''] = process.argv;

type InstanceDecorator = (instance: unknown) => unknown;

/** The one tick: all replicas must have started by then. */
const AT = new Date(Date.now() + 3000);

let runs = 0;
const work = async (): Promise<void> => {
  runs++;
  await new Promise((resolve) => setTimeout(resolve, 200));
};

@Injectable()
class Plain {
  @Cron(AT)
  @WithLock('invoices', '20s')
  send(): Promise<void> {
    return work();
  }
}

@Injectable()
class SpanBelow {
  @Cron(AT)
  @WithLock('invoices', '20s')
  @Span('job')
  send(): Promise<void> {
    return work();
  }
}

@Injectable()
class SpanAbove {
  @Cron(AT)
  @Span('job')
  @WithLock('invoices', '20s')
  send(): Promise<void> {
    return work();
  }
}

const observer = createObserveModule().ObserveInstrument?.instanceDecorator;
if (observer === undefined) throw new Error('@nestjs/observe has no instanceDecorator.');

const calls: string[] = [];

/** The check-ins that Sentry would be sent. */
const checkIns: string[] = [];

/** As `@SentryCron` of `@sentry/nestjs`, which has no version for Nest 12 yet. */
function SentryCron(slug: string) {
  return (_: object, __: string, descriptor: PropertyDescriptor): void => {
    const method = descriptor.value as (...args: unknown[]) => unknown;
    const monitored = function (this: unknown, ...args: unknown[]): unknown {
      return withMonitor(slug, () => method.apply(this, args));
    };
    for (const key of Reflect.getMetadataKeys(method) as string[]) {
      Reflect.defineMetadata(key, Reflect.getMetadata(key, method), monitored);
    }
    descriptor.value = monitored;
  };
}

@Injectable()
class SentryBelow {
  @Cron(AT)
  @WithLock('invoices', '20s')
  @SentryCron('invoices')
  send(): Promise<void> {
    return work();
  }
}

@Injectable()
class SentryAbove {
  @Cron(AT)
  @SentryCron('invoices')
  @WithLock('invoices', '20s')
  send(): Promise<void> {
    return work();
  }
}

/** What a simple observer does: it counts the calls of each method of each provider, and calls it on the provider itself. */
const plainProxy: InstanceDecorator = (instance) => {
  if (typeof instance !== 'object' || instance === null) return instance;
  return new Proxy(instance, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property);
      if (typeof value !== 'function' || typeof property !== 'string' || property === 'constructor') return value;
      const counted = (...args: unknown[]): unknown => {
        calls.push(`${target.constructor.name}.${property}`);
        return Reflect.apply(value, target, args) as unknown;
      };
      // By its metadata the scheduler finds a job.
      for (const key of Reflect.getMetadataKeys(value) as string[]) {
        Reflect.defineMetadata(key, Reflect.getMetadata(key, value), counted);
      }
      return counted;
    },
  });
};

const TOOLS: Record<
  string,
  { readonly host: Type; readonly withOtel?: boolean; readonly decorator?: InstanceDecorator }
> = {
  'span-below': { host: SpanBelow, withOtel: true },
  'span-above': { host: SpanAbove, withOtel: true },
  'span-alone': { host: SpanAbove },
  'sentry-below': { host: SentryBelow },
  'sentry-above': { host: SentryAbove },
  'plain-proxy': { host: Plain, decorator: plainProxy },
  observe: { host: Plain, decorator: observer },
};

async function main(): Promise<void> {
  const telemetry = new Telemetry();
  registerTracing(telemetry);
  getCurrentScope().setClient({
    captureCheckIn: ({ status }: { status: string }) => String(checkIns.push(status)),
  } as Partial<Client> as Client);
  const chosen = TOOLS[tool];
  if (chosen === undefined) throw new Error(`No tool has the name ${tool}.`);
  const { host, withOtel = false, decorator } = chosen;
  const memory = new RedlockMemory();
  const imports = [ScheduleModule.forRoot(), RedlockTestingModule.forRoot({ memory })];
  if (withOtel) imports.push(RedlockOtelModule.forRoot(telemetry.options));
  const boot = async () => {
    @Module({ imports, providers: [host] })
    class AppModule {}
    const instrument = decorator && { instrument: { instanceDecorator: decorator } };
    return await NestFactory.createApplicationContext(AppModule, { logger: ['error', 'warn'], ...instrument });
  };
  const replicas = [await boot(), await boot(), await boot()];
  await new Promise((resolve) => setTimeout(resolve, AT.getTime() + 500 - Date.now()));
  for (const replica of replicas) await replica.close();
  const spans = telemetry.spans.getFinishedSpans().map((span) => ({
    name: span.name,
    id: span.spanContext().spanId,
    parent: span.parentSpanContext?.spanId,
    skipped: span.attributes['redlock.skipped'],
  }));
  console.log(
    JSON.stringify({
      runs,
      spans,
      calls: calls.filter((call) => call === 'Plain.send').length,
      checkIns: checkIns.sort(),
    }),
  );
}
await main();
