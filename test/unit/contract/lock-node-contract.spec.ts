import { describe, expect, it } from '@jest/globals';
import { lockNodeContract, type ContractNode, type NodeReply, type NodeRequest } from 'redlock-nestjs/contract';
import { execute } from '../../support/execute.js';
import { ModelNode } from '../../support/model-node.js';
import { VirtualClock } from '../../support/virtual-clock.js';

/** A node on virtual time, with an error in it. */
interface Broken {
  readonly request?: (request: NodeRequest) => NodeRequest;
  readonly reply?: (reply: NodeReply) => NodeReply;
  readonly deaf?: boolean;
  readonly flush?: () => Promise<void>;
}

function modelNode({ request, reply, deaf = false, flush }: Broken = {}): ContractNode {
  const clock = new VirtualClock();
  const node = new ModelNode('model', clock);
  node.deaf = deaf;
  return {
    node,
    pass: (ms) => clock.advance(ms),
    flush: flush ?? (() => Promise.resolve(node.flush())),
    ask: async (requests) => {
      const asked = request === undefined ? requests : requests.map(request);
      const { value = [] } = await clock.settle(execute(node, asked));
      return reply === undefined ? value : value.map(reply);
    },
  };
}

/** The cases that fail. */
async function failures(makeNode: () => ContractNode): Promise<string[]> {
  const failed: string[] = [];
  for (const { name, run } of lockNodeContract(makeNode)) {
    await run().catch(() => failed.push(name));
  }
  return failed;
}

const withTtl = (change: (ttlMs: number) => number) => (request: NodeRequest) => ({
  ...request,
  claims: request.claims.map((claim) => ({ ...claim, ttlMs: change(claim.ttlMs) })),
});

const BROKEN: [string, Broken, string][] = [
  [
    'grants what another token has',
    { reply: (reply) => (reply.outcome === 'denied' ? { outcome: 'granted', fence: 0 } : reply) },
    'denies what another token has',
  ],
  ['keeps what has expired', { request: withTtl((ttlMs) => ttlMs * 10) }, 'frees a key when its ttl is over'],
  ['takes a ttl for seconds', { request: withTtl((ttlMs) => ttlMs / 1000) }, 'for the full ttl'],
  [
    'counts nothing',
    { reply: (reply) => (reply.outcome === 'granted' ? { outcome: 'granted', fence: 7 } : reply) },
    'P2: counts the grants',
  ],
  ['publishes nothing', { deaf: true }, 'P14: tells its listeners'],
  [
    'puts back what an extension does not find',
    { request: (request) => (request.kind === 'extend' ? { ...request, kind: 'heal' } : request) },
    'P12: an extension puts nothing back',
  ],
  [
    'releases what other tokens have',
    { request: (request) => (request.kind === 'release' ? { ...request, token: 'u' } : request) },
    'leaves what other tokens have',
  ],
  [
    'says of what was gone that it was released',
    { reply: (reply) => (reply.outcome === 'released' ? { ...reply, gone: false } : reply) },
    'P10: says with a release',
  ],
  ['keeps what it should forget', { flush: () => Promise.resolve() }, 'P12: knows nothing any more'],
];

describe('the contract of lock nodes', () => {
  it('has cases with different names, and a node that does as the servers do passes them', async () => {
    const names = lockNodeContract(() => modelNode()).map(({ name }) => name);
    expect(names.length).toBeGreaterThan(30);
    expect(new Set(names).size).toBe(names.length);
    expect(await failures(modelNode)).toEqual([]);
  });

  it.each(BROKEN)('notices a node that %s', async (_, broken, name) => {
    expect(await failures(() => modelNode(broken))).toContainEqual(expect.stringContaining(name));
  });

  it('says what was expected and what came', async () => {
    const reply = (): NodeReply => ({ outcome: 'failed', reason: 'refused', cause: new Error('out of memory') });
    const [first] = lockNodeContract(() => modelNode({ reply }));
    await expect(first?.run()).rejects.toThrow(/"outcome":"granted"[^]*"Error: out of memory"/);
  });

  it('closes the node after a case, also after one that failed', async () => {
    let closed = 0;
    for (const broken of [{}, BROKEN[0]![1]]) {
      const [, denies] = lockNodeContract(() => ({
        ...modelNode(broken),
        close: () => {
          closed++;
        },
      }));
      await denies?.run().catch(() => undefined);
    }
    expect(closed).toBe(2);
  });
});
