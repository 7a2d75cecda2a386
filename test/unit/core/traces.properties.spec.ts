import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { NodeQueue } from '../../../lib/core/node-queue.js';
import type { PendingRequest } from '../../../lib/core/pending-request.js';
import { PossiblyHeld } from '../../../lib/core/possibly-held.js';
import type { NodeRequest } from '../../../lib/core/ports/lock-node.js';
import { Traces } from '../../../lib/core/traces.js';
import { ModelNode } from '../../support/model-node.js';
import { VirtualClock } from '../../support/virtual-clock.js';

const HOLDERS = 4;
const STEPS = [
  'acquire',
  'extend',
  'heal',
  'release',
  'withdraw',
  'lose',
  'connect',
  'stall',
  'resume',
  'pass',
] as const;
type Step = (typeof STEPS)[number];

/** Two nodes that share what is known of tokens, and holders of which two each want one key. */
class World {
  readonly clock = new VirtualClock();
  readonly nodes = [new ModelNode('a', this.clock), new ModelNode('b', this.clock)];
  readonly traces = new Traces();
  readonly queues = this.nodes.map(
    (node, index) => new NodeQueue(node, this.clock, 2, new PossiblyHeld(this.clock, this.traces, index)),
  );
  readonly tokens: string[] = [];
  readonly #current = Array.from({ length: HOLDERS }, (_, holder) => this.#newToken(holder));
  #pending: PendingRequest[] = [];

  async take(step: Step, holder: number, node: number): Promise<void> {
    const model = this.nodes[node]!;
    if (step === 'pass') await this.clock.advance(3);
    else if (step === 'lose') model.disconnect();
    else if (step === 'connect') model.connect();
    else if (step === 'stall') model.stall();
    else if (step === 'resume') model.resume();
    else if (step === 'withdraw')
      this.queues.forEach((queue, at) => this.#pending[at] && queue.withdraw(this.#pending[at]));
    else this.ask(step, holder);
  }

  /** A holder that has given its token back goes on with another one. */
  ask(kind: 'acquire' | 'extend' | 'heal' | 'release', holder: number): void {
    const token = this.#current[holder]!;
    const claims = [{ key: `key ${holder % 2}`, ttlMs: kind === 'release' ? 0 : 1000 }];
    const request: NodeRequest = { kind, token, owner: 'me', claims };
    this.#pending = this.queues.map((queue) => queue.send(request));
    if (kind === 'release') this.#current[holder] = this.#newToken(holder);
  }

  #newToken(holder: number): string {
    const token = `${holder}.${this.tokens.length}`;
    this.tokens.push(token);
    return token;
  }
}

describe('P11, P16: when every token was given back', () => {
  it('nothing of them is left on a node, and nothing is remembered of them, whatever happened on the way', async () => {
    const steps = fc.array(fc.tuple(fc.constantFrom(...STEPS), fc.nat(HOLDERS - 1), fc.nat(1)), { maxLength: 50 });
    await fc.assert(
      fc.asyncProperty(steps, async (taken) => {
        const world = new World();
        for (const node of world.nodes) node.delayMs = 2;
        for (const [step, holder, node] of taken) await world.take(step, holder, node);
        for (let holder = 0; holder < HOLDERS; holder++) world.ask('release', holder);
        for (const node of world.nodes) {
          node.resume();
          node.connect();
        }
        await world.clock.advance(100);
        await Promise.all(world.queues.map((queue) => queue.idle()));
        expect(world.nodes.flatMap(({ keys }) => keys)).toEqual([]);
        const left = world.tokens.filter((token) => world.nodes.some((_, node) => world.traces.get(token, node)));
        expect(left).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});
