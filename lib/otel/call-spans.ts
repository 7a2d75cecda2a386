import {
  diag,
  INVALID_SPAN_CONTEXT,
  SpanStatusCode,
  trace,
  type Attributes,
  type Span,
  type Tracer,
} from '@opentelemetry/api';
import type { CallTracer, TracedCall, TracedRefusal } from '../client/call-tracer.js';
import type { RedlockEvents } from '../redlock.events.js';
import { attributesOf, CONTENDED, ERROR_TYPE, FENCING_TOKEN, KEYS, SKIPPED, TICK } from './attributes.js';
import { errorText } from '../core/error-text.js';

/** A call may take thousands of keys, and a span is no place for them. */
const MOST_KEYS = 10;

/**
 * A span around the waiting for each lock and one around the work under it. They are active while these run: what the work starts
 * has `redlock.hold` as its parent.
 */
export class CallSpans implements CallTracer {
  constructor(private readonly tracer: Tracer) {}

  record(events: RedlockEvents): void {
    events.traceWith(this);
    // The span around the call of a job is made by others, and has no other sign that the job did not run on this replica.
    events.on('skipped', ({ job, reason }) => {
      if (job !== undefined) trace.getActiveSpan()?.setAttribute(SKIPPED, reason);
    });
  }

  acquire<L extends { readonly fencingToken: number } | TracedRefusal>(
    call: TracedCall,
    wait: () => Promise<L>,
    skips: boolean,
  ): Promise<L> {
    return this.#within('redlock.acquire', spanAttributesOf(call), async (span) => {
      const result = await failing(span, wait);
      if ('fencingToken' in result) {
        span.setAttribute(FENCING_TOKEN, result.fencingToken);
        return result;
      }
      const { reason } = result;
      if (skips) span.setAttribute(SKIPPED, reason);
      if (reason === 'unreachable') fail(span, result.error);
      // That another process holds the lock is an answer. The caller decides whether it is an error.
      else if (reason !== 'closing') span.setAttribute(CONTENDED, reason);
      return result;
    });
  }

  hold<T>(call: TracedCall & { readonly fencingToken: number }, work: () => Promise<T>): Promise<T> {
    const attributes = { ...spanAttributesOf(call), [FENCING_TOKEN]: call.fencingToken };
    return this.#within('redlock.hold', attributes, (span) => failing(span, work));
  }

  #within<T>(name: string, attributes: Attributes, run: (span: Span) => Promise<T>): Promise<T> {
    const within = async (span: Span): Promise<T> => {
      try {
        return await run(span);
      } finally {
        quietly(() => {
          span.end();
        });
      }
    };
    let begun: Promise<T> | undefined;
    quietly(() => {
      this.tracer.startActiveSpan(name, { attributes }, (span) => {
        begun = within(span);
      });
    });
    return begun ?? run(trace.wrapSpanContext(INVALID_SPAN_CONTEXT));
  }
}

function spanAttributesOf(call: TracedCall): Attributes {
  const { keys, tick } = call;
  return {
    ...attributesOf(call),
    [KEYS]: keys.slice(0, MOST_KEYS),
    ...(tick !== undefined && { [TICK]: tick.toISOString() }),
  };
}

async function failing<T>(span: Span, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    fail(span, error);
    throw error;
  }
}

function fail(span: Span, error: unknown): void {
  const message = errorText(error);
  quietly(() => {
    span.setStatus({ code: SpanStatusCode.ERROR, message });
    const { code, name } = partsOf(error);
    span.setAttribute(ERROR_TYPE, typeof code === 'string' ? code : typeof name === 'string' ? name : typeof error);
    span.recordException(error instanceof Error ? error : message);
  });
}

/** What goes wrong in tracing is told to OpenTelemetry, and changes nothing of locks and work. */
function quietly(trace: () => void): void {
  try {
    trace();
  } catch (error) {
    diag.error(`redlock-nestjs: a span could not be recorded: ${errorText(error)}`);
  }
}

function partsOf(error: unknown): { readonly code?: unknown; readonly name?: unknown } {
  return typeof error === 'object' && error !== null ? error : {};
}
