import { it } from '@jest/globals';
import { lockNodeContract as contractOf, type ContractNode } from '../../lib/contract/index.js';

export type Subject = Required<Omit<ContractNode, 'close'>>;

/** The published contract under Jest. */
export function lockNodeContract(subject: () => Subject): void {
  for (const { name, run } of contractOf(subject)) it(name, run);
}
