export { lockNodeContract, type ContractCase } from './lock-node-contract.js';
export type { ContractNode } from './probe.js';
export { RedisContractServer } from './redis-contract-server.js';
export type {
  Claim,
  Failure,
  Holder,
  LockNode,
  NodeReply,
  NodeRequest,
  NodeState,
  ReleaseListener,
} from '../core/ports/lock-node.js';
