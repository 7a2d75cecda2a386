import { expect, it } from '@jest/globals';
import type { Connection } from '../../../lib/redis/connection.js';
import { ScriptSender } from '../../../lib/redis/script-sender.js';

/** Sends the script for these keys, one after the other, and tells how. */
function commandsFor(clustered: boolean, ...keys: string[]): string[] {
  const sent: string[] = [];
  const send = (command: string): void => void sent.push(command);
  const sender = new ScriptSender({ epoch: 1, clustered, send } as unknown as Connection);
  for (const key of keys) {
    sender.send(
      (script) => [script, 1, key],
      () => undefined,
      () => undefined,
    );
  }
  return sent;
}

it('P4: a server gets the lock script in full once; of a Cluster the master of each key', () => {
  expect(commandsFor(false, 'a', 'b', 'a')).toEqual(['eval', 'evalsha', 'evalsha']);
  expect(commandsFor(true, 'a', 'b', 'a', 'b')).toEqual(['eval', 'eval', 'evalsha', 'evalsha']);
});

it('P18: of a Cluster it remembers no more than ten thousand keys', () => {
  const keys = Array.from({ length: 10_001 }, (_, index) => String(index));
  expect(commandsFor(true, ...keys, '0').at(-1)).toBe('eval');
  expect(commandsFor(true, ...keys, '10000').at(-1)).toBe('evalsha');
});
