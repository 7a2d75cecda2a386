import { describe, expect, it } from '@jest/globals';
import { InFlightCommands } from '../../../lib/redis/in-flight-commands.js';

describe('a script on a client that was given', () => {
  it('P4: is its first key as text, by which a Cluster of ioredis below 5.11 finds the node, and itself as bytes', async () => {
    let sent: unknown[] = [];
    const send = (args: readonly unknown[]): Promise<unknown> => {
      sent = [String(args[0]), Buffer.from(args[0] as Buffer).toString(), ...args.slice(1)];
      return Promise.resolve(['done']);
    };
    const command = ['evalsha', 'hash', 2, 'redlock:k', '{redlock:k}:fence', 'A'] as const;
    const reply = await new Promise((resolve, reject) => new InFlightCommands().run(send, command, resolve, reject));
    expect(reply).toEqual(['done']);
    expect(sent).toEqual(['redlock:k', 'hash', 2, 'redlock:k', '{redlock:k}:fence', 'A']);
  });

  it('P11: is blank as soon as it has been given up: what a client sends after that does nothing', async () => {
    const calls = new InFlightCommands();
    let script: Buffer = Buffer.from('');
    const send = ([first]: readonly unknown[]): Promise<unknown> => {
      script = first as Buffer;
      return new Promise(() => undefined);
    };
    const call = new Promise((resolve, reject) => calls.run(send, ['eval', 'return 1', 1, 'k'], resolve, reject));
    calls.failAll(new Error('closed'));
    await expect(call).rejects.toThrow('closed');
    expect(Buffer.from(script).toString().trim()).toBe('');
  });
});
