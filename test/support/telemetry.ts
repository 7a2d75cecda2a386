import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { MeterProvider, MetricReader, type MetricData } from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base';
import type { RedlockOtelOptions } from 'redlock-nestjs/otel';

export interface Point {
  readonly attributes: Record<string, unknown>;
  /** Of a histogram: its count. */
  readonly value: number;
  /** Of a histogram: the sum of all values. */
  readonly sum: number | undefined;
}

/** Collects when a test asks. The readers of the SDK need timers, and a test may have faked those. */
class ManualReader extends MetricReader {
  protected override onShutdown(): Promise<void> {
    return Promise.resolve();
  }

  protected override onForceFlush(): Promise<void> {
    return Promise.resolve();
  }
}

/** What one process records, in memory. */
export class Telemetry {
  readonly spans = new InMemorySpanExporter();
  readonly #reader = new ManualReader();
  readonly #meterProvider: MeterProvider;
  readonly tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(this.spans)] });

  constructor(...readers: MetricReader[]) {
    this.#meterProvider = new MeterProvider({ readers: [this.#reader, ...readers] });
  }

  get options(): Required<RedlockOtelOptions> {
    return { meterProvider: this.#meterProvider, tracerProvider: this.tracerProvider };
  }

  /** The points of the metric, by now. */
  async points(name: string): Promise<Point[]> {
    const metrics = await this.#collect();
    const metric = metrics.find(({ descriptor }) => descriptor.name === name);
    return (metric?.dataPoints ?? []).map(({ attributes, value }) => {
      const { count, sum } =
        typeof value === 'number' ? { count: value, sum: undefined } : { sum: undefined, ...value };
      return { attributes, value: count, sum };
    });
  }

  /** The unit of each metric that has a point by now. */
  async descriptors(): Promise<Record<string, string>> {
    const metrics = await this.#collect();
    return Object.fromEntries(metrics.map(({ descriptor }) => [descriptor.name, descriptor.unit]));
  }

  async #collect(): Promise<MetricData[]> {
    const { resourceMetrics } = await this.#reader.collect();
    return resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics);
  }

  spansOf(name: string): ReadableSpan[] {
    return this.spans.getFinishedSpans().filter((span) => span.name === name);
  }

  async shutdown(): Promise<void> {
    await this.#meterProvider.shutdown();
  }
}

/** As the SDK of an application does it when it is started: spans are handed on along async calls, and `@Span` finds the provider. */
export function registerTracing({ tracerProvider }: Pick<Telemetry, 'tracerProvider'>): void {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(tracerProvider);
}

export function unregisterTracing(): void {
  context.disable();
  trace.disable();
  propagation.disable();
}
