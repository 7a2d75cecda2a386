import { fencing } from './cases/fencing.js';
import { granting } from './cases/granting.js';
import { keeping } from './cases/keeping.js';
import { marking } from './cases/marking.js';
import { notifying } from './cases/notifying.js';
import { releasing } from './cases/releasing.js';
import { runCase, type Cases, type ContractNode } from './probe.js';

/**
 * One case of the contract, for any test runner: `it(name, run)`. It rejects with what went wrong.
 *
 * @publicApi
 */
export interface ContractCase {
  readonly name: string;
  readonly run: () => Promise<void>;
}

/**
 * What every lock node does alike: the Redis and Valkey servers, the memory of `redlock-nestjs/testing`, and the model of the simulator.
 *
 * ```ts
 * for (const { name, run } of lockNodeContract(makeNode)) it(name, run);
 * ```
 *
 * @param makeNode called at the beginning of each case. It may return the same node each time, if nothing is stored in it any more.
 * @publicApi
 */
export function lockNodeContract(makeNode: () => ContractNode | Promise<ContractNode>): ContractCase[] {
  return toContractCases(makeNode, { ...granting, ...keeping, ...releasing, ...fencing, ...notifying, ...marking });
}

function toContractCases(makeNode: () => ContractNode | Promise<ContractNode>, cases: Cases): ContractCase[] {
  return Object.entries(cases).map(([name, run]) => ({ name, run: async () => runCase(await makeNode(), run) }));
}
