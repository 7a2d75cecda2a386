import { channel, type Channel } from 'node:diagnostics_channel';
import type { CallTracer } from './call-tracer.js';
import { EVENT_NAMES, type RedlockEvent, type RedlockEventMap, type RedlockEventName } from './events.js';
import { errorText } from '../core/error-text.js';

type Listener = (event: RedlockEvent) => unknown;

/** One channel of Node for each event, shared by all instances. */
const CHANNELS = Object.fromEntries(EVENT_NAMES.map((name) => [name, channel(`redlock:${name}`)])) as Record<
  RedlockEventName,
  Channel
>;

/**
 * Where a lock client says what happens. Listeners are called at once, and one that throws, or rejects, harms no lock: it is
 * reported as a `warning` once for each event.
 */
export class EventSource {
  readonly #listeners = new Map<RedlockEventName, Set<Listener>>();
  readonly #failed = new Set<RedlockEventName>();
  #tracer: CallTracer | undefined;

  /** @param parent hears all that this one emits: the events of all instances of an application have one */
  constructor(
    readonly instance?: string,
    private readonly parent?: EventSource,
  ) {}

  /** What runs the parts of each call within something of its own; `undefined` where nothing does, and then it costs nothing. */
  get tracer(): CallTracer | undefined {
    return this.#tracer ?? this.parent?.tracer;
  }

  set tracer(tracer: CallTracer | undefined) {
    this.#tracer = tracer;
  }

  /** Whether it is worth making the event: without a listener it costs nothing. */
  isHeard(name: RedlockEventName): boolean {
    return this.#hasListener(name) || CHANNELS[name].hasSubscribers;
  }

  emit<K extends RedlockEventName>(name: K, details: RedlockEventMap[K]): void {
    if (!this.isHeard(name)) return;
    const base = { type: name, ...(this.instance !== undefined && { instance: this.instance }), at: new Date() };
    const event = { ...base, ...details } as unknown as RedlockEvent;
    this.#deliver(event);
    CHANNELS[name].publish(event);
  }

  /** Returns what takes the listener away again. */
  on<K extends RedlockEventName>(name: K, listener: (event: RedlockEvent<K>) => unknown): () => void {
    const own = (event: RedlockEvent): unknown => listener(event as unknown as RedlockEvent<K>);
    let listeners = this.#listeners.get(name);
    if (listeners === undefined) this.#listeners.set(name, (listeners = new Set()));
    listeners.add(own);
    return () => {
      listeners.delete(own);
      if (listeners.size === 0 && this.#listeners.get(name) === listeners) this.#listeners.delete(name);
    };
  }

  #hasListener(name: RedlockEventName): boolean {
    return this.#listeners.has(name) || (this.parent !== undefined && this.parent.#hasListener(name));
  }

  /** @param from where it was emitted: what listens there hears of a listener that fails, too */
  #deliver(event: RedlockEvent, from: EventSource = this): void {
    // A copy: a listener that takes itself away and listens anew would be called for ever.
    for (const listener of [...(this.#listeners.get(event.type) ?? [])]) this.#call(listener, event, from);
    if (this.parent !== undefined) this.parent.#deliver(event, from);
  }

  #call(listener: Listener, event: RedlockEvent, from: EventSource): void {
    const onFailed = (error: unknown): void => {
      this.#onFailed(event.type, error, from);
    };
    try {
      const result = listener(event);
      if (isThenable(result)) void Promise.resolve(result).catch(onFailed);
    } catch (error) {
      onFailed(error);
    }
  }

  #onFailed(name: RedlockEventName, error: unknown, from: EventSource): void {
    if (this.#failed.has(name)) return;
    this.#failed.add(name);
    const why = errorText(error);
    const message = `A listener for the event '${name}' has failed. The locks are not affected. ${why}`;
    from.emit('warning', { code: 'listener-failed', level: 'warn', message });
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value;
}
