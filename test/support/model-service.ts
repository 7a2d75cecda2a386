import { LockClient } from '../../lib/client/lock-client.js';
import { toSettings } from '../../lib/client/options/module-options.js';
import type { RedlockOptions } from '../../lib/interfaces/index.js';
import { RedlockService } from '../../lib/redlock.service.js';
import { Shards } from '../../lib/client/shards.js';
import { ModelNode } from './model-node.js';
import { modelNodes, quorumOver, SeededEntropy } from './model-quorum.js';
import { VirtualClock } from './virtual-clock.js';

/** Some servers and the time, which several services may share as several processes do. */
export interface ModelWorld {
  readonly clock: VirtualClock;
  readonly nodes: ModelNode[];
  /** The service of another process. */
  serve(options?: RedlockOptions, random?: () => number): RedlockService;
}

/** The service as an application has it, with options as an application gives them, on virtual time and model nodes. */
export function modelWorld(servers = 3): ModelWorld {
  const clock = new VirtualClock();
  const nodes = modelNodes(servers, clock);
  let processes = 0;
  return {
    clock,
    nodes,
    serve(options = {}, random) {
      const settings = toSettings({ servers: nodes.map(({ name }) => name), ...options });
      const seed = ++processes;
      const entropy = new SeededEntropy(seed);
      if (random !== undefined) entropy.random = random;
      const { maxConcurrency } = settings;
      const quorum = { ...quorumOver(nodes, clock, { seed, maxConcurrency }), rules: settings, entropy };
      const shards = new Shards([{ identity: 'all', servers: [], quorum }], clock, false);
      return new RedlockService(new LockClient(settings, shards));
    },
  };
}

/** The instants at which the node is asked for this. */
export function timesOf(node: ModelNode, clock: VirtualClock, kind: 'acquire' | 'extend'): number[] {
  const times: number[] = [];
  const execute = node.execute.bind(node);
  node.execute = (requests, ...callbacks) => {
    if (requests.some((request) => request.kind === kind)) times.push(clock.nowMs());
    execute(requests, ...callbacks);
  };
  return times;
}
