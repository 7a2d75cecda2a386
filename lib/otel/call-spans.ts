import { SpanStatusCode, trace, type Attributes, type Span, type Tracer } from '@opentelemetry/api';
import type { CallTracer, TracedCall } from '../client/call-tracer.js';
import type { SkipReason } from '../client/events.js';
import type { RedlockEvents } from '../redlock.events.js';
import { attributesOf, CONTENDED, ERROR_TYPE, FENCING_TOKEN, KEYS, SKIPPED, TICK } from './attributes.js';

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

  acquire<L extends { readonly fencingToken: number }>(
    call: TracedCall,
    wait: () => Promise<L>,
    skipReasonOf: (error: unknown) => SkipReason | undefined,
  ): Promise<L> {
    return this.#within('redlock.acquire', spanAttributesOf(call), async (span) => {
      try {
        const lock = await wait();
        span.setAttribute(FENCING_TOKEN, lock.fencingToken);
        return lock;
      } catch (error) {
        const skipReason = skipReasonOf(error);
        if (skipReason !== undefined) span.setAttribute(SKIPPED, skipReason);
        const { code, reason } = partsOf(error);
        // That another process holds the lock is an answer. The caller decides whether it is an error.
        if (code === 'LOCK_CONTENDED') span.setAttribute(CONTENDED, String(reason));
        else if (code !== 'SHUTDOWN') fail(span, error);
        throw error;
      }
    });
  }

  hold<T>(call: TracedCall & { readonly fencingToken: number }, work: () => Promise<T>): Promise<T> {
    const attributes = { ...spanAttributesOf(call), [FENCING_TOKEN]: call.fencingToken };
    return this.#within('redlock.hold', attributes, async (span) => {
      try {
        return await work();
      } catch (error) {
        fail(span, error);
        throw error;
      }
    });
  }

  #within<T>(name: string, attributes: Attributes, run: (span: Span) => Promise<T>): Promise<T> {
    return this.tracer.startActiveSpan(name, { attributes }, async (span) => {
      try {
        return await run(span);
      } finally {
        span.end();
      }
    });
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

function fail(span: Span, error: unknown): void {
  const { code, name } = partsOf(error);
  const message = error instanceof Error ? error.message : String(error);
  span.recordException(error instanceof Error ? error : message);
  span.setAttribute(ERROR_TYPE, typeof code === 'string' ? code : typeof name === 'string' ? name : typeof error);
  span.setStatus({ code: SpanStatusCode.ERROR, message });
}

function partsOf(error: unknown): { readonly code?: unknown; readonly name?: unknown; readonly reason?: unknown } {
  return typeof error === 'object' && error !== null ? error : {};
}
