import { Trace, TracesOfToken } from './pending-request.js';
import { StringMap } from './string-map.js';

/** The traces on all nodes of a quorum. They are kept together, so that a question to all nodes looks its token up once. */
export class Traces {
  readonly #byToken = new StringMap<TracesOfToken>();
  /** Those of the token that was looked up last: one node is asked after the other. */
  #last: TracesOfToken | undefined;

  get(token: string, node: number): Trace | undefined {
    return this.#of(token)?.traces[node];
  }

  ensure(token: string, node: number): Trace {
    let all = this.#of(token);
    if (all === undefined) {
      all = this.#last = new TracesOfToken(token);
      this.#byToken.set(token, all);
    }
    const present = all.traces[node];
    if (present !== undefined) return present;
    const trace = new Trace(all);
    all.traces[node] = trace;
    all.count++;
    return trace;
  }

  forget({ all }: Trace, node: number): void {
    if (all.traces[node] === undefined) return;
    all.traces[node] = undefined;
    if (--all.count > 0) return;
    this.#byToken.delete(all.token);
    if (this.#last === all) this.#last = undefined;
  }

  #of(token: string): TracesOfToken | undefined {
    if (this.#last?.token !== token) this.#last = this.#byToken.get(token);
    return this.#last;
  }
}
