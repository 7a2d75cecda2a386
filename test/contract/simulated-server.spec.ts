import { beforeEach, describe } from '@jest/globals';
import { Chance } from '../simulation/chance.js';
import { Kernel } from '../simulation/kernel.js';
import { Machine } from '../simulation/machine.js';
import type { RedisLockNode } from '../../lib/redis/redis-lock-node.js';
import { OTHER_TYPE } from '../simulation/model-script.js';
import { ModelServer } from '../simulation/model-server.js';
import { Host, Link } from '../simulation/network.js';
import { SimProcess } from '../simulation/sim-process.js';
import { execute } from '../support/execute.js';
import { hostileValuesContract } from './hostile-values.contract.js';
import { lockNodeContract } from './lock-node.contract.js';
import { markerContract, type MarkedSubject } from './marker.contract.js';
import { hostileRegisterContract, registerContract, type RegisterSubject } from './register.contract.js';

const OPTIONS = { reconnectDelay: 5, maxReconnectDelay: 50, restartGuard: 'off' } as const;

/** What the simulator plays with is what the real servers are: the production node, over its network and its server. */
describe('the simulated server', () => {
  let subject: MarkedSubject & RegisterSubject;
  beforeEach(async () => {
    const kernel = new Kernel();
    const host = new Host(new ModelServer(0, kernel));
    const machine = new Machine('p0', kernel, { originMs: 0, rate: 1, lateMs: 0 }, new Chance(1));
    const distance = { leastMs: 0.1, jitterMs: 0, spikeMs: 0, spikes: 0 };
    const link = new Link(machine, host, kernel, distance, { share: 0, lateMs: 0 }, new Chance(2), true);
    const { servers } = new SimProcess(machine, [link], OPTIONS, new Chance(3));
    const { node } = servers[0]!;
    await kernel.run(() => node.ensureConnected().status === 'ready', 1000);
    const pass = async (ms: number): Promise<void> => {
      await kernel.run(() => false, kernel.nowMs() + ms);
    };
    let replied = 0;
    host.model.onOperation = (_, replies) => (replied = JSON.stringify(replies).length);
    subject = {
      node: node as RedisLockNode,
      replied: () => replied,
      run: (args) => Promise.resolve(host.model.execute('eval', args)),
      write: (key, value) => {
        const text = typeof value === 'string' ? value : Buffer.isBuffer(value) ? value.toString('latin1') : OTHER_TYPE;
        host.model.data.set(key, { value: text, expiresAtMs: Infinity });
        return Promise.resolve();
      },
      ttlOf: (key) => Promise.resolve(host.model.pttl(key)),
      pass,
      flush: () => {
        host.model.data = new Map();
        return Promise.resolve();
      },
      ask: async (requests) => {
        const asked = execute(node, requests);
        await pass(1);
        return await asked;
      },
    };
  });
  lockNodeContract(() => subject);
  hostileValuesContract(() => subject);
  markerContract(() => subject);
  registerContract(() => subject);
  hostileRegisterContract(() => subject);
});
