import type { NodeReply, NodeRequest } from '../core/ports/lock-node.js';
import { CounterError } from './lock-script-reply.js';

/** A longer list would not be read, and the keys may come from the users of the application. */
const MOST = 10;

/** The fencing counters of a server that hold something else than a number. Each is listed until the server has counted with it again. */
export class CounterWarnings {
  readonly #messages = new Map<string, string>();

  get list(): readonly { readonly code: 'fencing-counter'; readonly message: string }[] {
    return [...this.#messages.values()].map((message) => ({ code: 'fencing-counter', message }));
  }

  onReply({ claims }: NodeRequest, reply: NodeReply): void {
    if (reply.outcome === 'failed' && reply.cause instanceof CounterError) {
      const { counter, message } = reply.cause;
      if (this.#messages.size < MOST) this.#messages.set(counter, message);
    } else if (this.#messages.size > 0 && (reply.outcome === 'granted' || reply.outcome === 'confirmed')) {
      for (const { counter } of claims) if (counter !== undefined) this.#messages.delete(counter);
    }
  }
}
