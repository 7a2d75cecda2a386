import { Trace } from './pending-request.js';
import { StringMap } from './string-map.js';
import { youngList } from './young-list.js';

/** The traces of one token. */
class OfToken {
  /** By the index of the node. */
  readonly traces = youngList<Trace | undefined>();
  /** How many nodes have one. */
  count = 0;

  constructor(readonly token: string) {}
}

/** The traces on all nodes of a quorum. They are kept together, so that a question to all nodes looks its token up once. */
export class Traces {
  readonly #byToken = new StringMap<OfToken>();
  /** Those of the token that was looked up last: one node is asked after the other. */
  #last: OfToken | undefined;

  get(token: string, node: number): Trace | undefined {
    return this.#of(token)?.traces[node];
  }

  make(token: string, node: number): Trace {
    let all = this.#of(token);
    if (all === undefined) {
      all = this.#last = new OfToken(token);
      this.#byToken.set(token, all);
    }
    const trace = new Trace(token);
    all.traces[node] = trace;
    all.count++;
    return trace;
  }

  forget({ token }: Trace, node: number): void {
    const all = this.#of(token);
    if (all?.traces[node] === undefined) return;
    all.traces[node] = undefined;
    if (--all.count > 0) return;
    this.#byToken.delete(token);
    this.#last = undefined;
  }

  #of(token: string): OfToken | undefined {
    if (this.#last?.token !== token) this.#last = this.#byToken.get(token);
    return this.#last;
  }
}
