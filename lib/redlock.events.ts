import { Global, Injectable, Module } from '@nestjs/common';
import { Observable } from 'rxjs';
import type { CallTracer } from './client/call-tracer.js';
import { EventSource } from './client/event-source.js';
import { EVENT_NAMES, type RedlockEvent, type RedlockEventName } from './client/events.js';

/**
 * What happens to the locks, jobs and servers of this application, of all its `RedlockModule`s: an event's `instance` tells them
 * apart. The same events are published on `diagnostics_channel` as `redlock:<event>`, there of all applications of the process.
 *
 * An event that nothing listens to is not even made.
 *
 * @publicApi
 */
@Injectable()
export class RedlockEvents {
  readonly #source = new EventSource();

  /**
   * Calls the listener for each event of this name, at once and in the order of the events. A listener that throws or rejects harms
   * no lock: one `warning` names the event.
   *
   * @returns a function that takes the listener away again
   */
  on<K extends RedlockEventName>(event: K, listener: (event: RedlockEvent<K>) => unknown): () => void {
    return this.#source.on(event, listener);
  }

  /**
   * All events, for as long as there is a subscription. As everywhere in rxjs, an error that a subscriber throws is reported as an
   * uncaught exception: it does not reach the locks.
   */
  observe(): Observable<RedlockEvent> {
    return new Observable((subscriber) => {
      const cancels = EVENT_NAMES.map((name) =>
        this.#source.on(name, (event) => {
          subscriber.next(event);
        }),
      );
      return () => {
        for (const cancel of cancels) cancel();
      };
    });
  }

  /** For telemetry: runs the parts of each call of this application within what the tracer makes. */
  traceWith(tracer: CallTracer | undefined): void {
    this.#source.tracer = tracer;
  }

  /** For an instance of the module: where it emits its events. */
  sourceFor(instance: string | undefined): EventSource {
    return new EventSource(instance, this.#source);
  }
}

/** Nest makes it once, however many instances of the `RedlockModule` there are. */
@Global()
@Module({ providers: [RedlockEvents], exports: [RedlockEvents] })
export class RedlockEventsModule {}
