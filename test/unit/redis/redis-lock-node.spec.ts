import { describe, expect, it } from '@jest/globals';
import type { NodeRequest, NodeState } from '../../../lib/core/ports/lock-node.js';
import { ServerError, type Connection } from '../../../lib/redis/connection.js';
import type { RedisLockNode } from '../../../lib/redis/redis-lock-node.js';
import { redisLockNode } from '../../support/redis-node.js';
import { LOCK_SCRIPT } from '../../../lib/redis/scripts/lock.script.js';

type Call = [command: string, script: unknown];

/** A connection whose server knows its script only after EVAL, and forgets it when told. */
class ScriptedConnection implements Connection {
  readonly space = '@0';
  readonly caveats = [];
  readonly name = 'server';
  readonly clustered = false;
  epoch = 1;
  readonly calls: Call[] = [];
  knowsScript = false;
  failure: Error | undefined;

  reach(): NodeState {
    return { status: 'ready' };
  }
  onChange(): void {
    return undefined;
  }
  close(): void {
    return undefined;
  }

  async call(command: string, [script, keys]: readonly (string | number)[]): Promise<unknown> {
    this.calls.push([command, script]);
    const { failure, knowsScript } = this;
    if (command === 'eval') this.knowsScript = true;
    await Promise.resolve();
    if (failure) throw failure;
    if (command === 'evalsha' && !knowsScript) throw new ServerError('NOSCRIPT No matching script.');
    return ['-', ...Array.from({ length: Number(keys) }, () => [1, 0])];
  }
}

const request = (kind: NodeRequest['kind'], token = 't'): NodeRequest => ({
  kind,
  token,
  owner: 'o',
  claims: [{ key: 'k', ttlMs: 5 }],
});

function setUp(): { connection: ScriptedConnection; node: RedisLockNode; commands: () => string[] } {
  const connection = new ScriptedConnection();
  return {
    connection,
    node: redisLockNode(connection, { mode: 'off' }),
    commands: () => connection.calls.map(([command]) => command),
  };
}

describe('a Redis lock node', () => {
  it('sends the script once on each connection, and its hash from then on', async () => {
    const { connection, node, commands } = setUp();
    for (let index = 0; index < 3; index++) await node.execute([request('acquire')]);
    connection.epoch++;
    await node.execute([request('acquire')]);
    expect(commands()).toEqual(['eval', 'evalsha', 'evalsha', 'eval']);
    expect(connection.calls[1]?.[1]).toBe(LOCK_SCRIPT.sha);
  });

  it('sends the script again when the server has forgotten it', async () => {
    const { connection, node, commands } = setUp();
    await node.execute([request('acquire')]);
    connection.knowsScript = false;
    expect(await node.execute([request('acquire')])).toMatchObject([{ outcome: 'granted' }]);
    expect(commands()).toEqual(['eval', 'evalsha', 'eval']);
  });

  it('P11: repeats no acquire that its own release may have passed meanwhile, but the release', async () => {
    const { connection, node } = setUp();
    await node.execute([request('acquire')]);
    connection.knowsScript = false;
    const first = node.execute([request('acquire'), request('release', 'u')]);
    const second = node.execute([request('release')]);
    expect(await first).toEqual([
      {
        outcome: 'failed',
        reason: 'refused',
        cause: expect.objectContaining({ message: 'NOSCRIPT No matching script.' }),
      },
      { outcome: 'released', heard: 0, gone: false },
    ]);
    expect(await second).toEqual([{ outcome: 'released', heard: 0, gone: false }]);
  });

  it("takes a server's error for an answer, and everything else for a broken connection", async () => {
    const { connection, node } = setUp();
    connection.failure = new ServerError('OOM command not allowed');
    expect(await node.execute([request('acquire')])).toMatchObject([
      { outcome: 'failed', reason: 'refused', cause: { message: 'OOM command not allowed' } },
    ]);
    connection.failure = new Error('Connection is closed.');
    await expect(node.execute([request('acquire')])).rejects.toThrow('Connection is closed.');
  });
});
