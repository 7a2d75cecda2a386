import { describe, expect, it } from '@jest/globals';
import type { NodeRequest, NodeState } from '../../../lib/core/ports/lock-node.js';
import { ServerError, type Connection } from '../../../lib/redis/connection.js';
import { NodeQueue } from '../../../lib/core/node-queue.js';
import { RestartGuard } from '../../../lib/redis/restart-guard.js';
import type { RedisLockNode } from '../../../lib/redis/redis-lock-node.js';
import { execute } from '../../support/execute.js';
import { eventually } from '../../support/eventually.js';
import { redisLockNode } from '../../support/redis-node.js';
import { VirtualClock } from '../../support/virtual-clock.js';
import { LOCK_SCRIPT } from '../../../lib/redis/scripts/lock.script.js';

type Call = [command: string, script: unknown];

/** A connection whose server knows its script only after EVAL, and forgets it when told. */
class ScriptedConnection implements Connection {
  readonly keyspace = '@0';
  readonly warnings = [];
  readonly database = 0;
  readonly name = 'server';
  readonly clustered = false;
  epoch = 1;
  readonly calls: Call[] = [];
  knowsScript = false;
  failure: Error | undefined;

  state: NodeState = { status: 'ready' };

  ensureConnected(): NodeState {
    return this.state;
  }
  onChange(): void {
    return undefined;
  }
  onSilence(): void {
    return undefined;
  }
  close(): void {
    return undefined;
  }

  send(...[command, args, onReply, onError]: Parameters<Connection['send']>): void {
    this.call(command, args).then(onReply, onError);
  }

  protected async call(command: string, [script, keys]: readonly (string | number)[]): Promise<unknown> {
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
    for (let index = 0; index < 3; index++) await execute(node, [request('acquire')]);
    connection.epoch++;
    await execute(node, [request('acquire')]);
    expect(commands()).toEqual(['eval', 'evalsha', 'evalsha', 'eval']);
    expect(connection.calls[1]?.[1]).toBe(LOCK_SCRIPT.sha);
  });

  it('sends the script again when the server has forgotten it', async () => {
    const { connection, node, commands } = setUp();
    await execute(node, [request('acquire')]);
    connection.knowsScript = false;
    expect(await execute(node, [request('acquire')])).toMatchObject([{ outcome: 'granted' }]);
    expect(commands()).toEqual(['eval', 'evalsha', 'eval']);
  });

  it('P11: repeats no acquire that its own release may have passed meanwhile, but the release', async () => {
    const { connection, node } = setUp();
    await execute(node, [request('acquire')]);
    connection.knowsScript = false;
    const first = execute(node, [request('acquire'), request('release', 'u')]);
    const second = execute(node, [request('release')]);
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

  it('P12: keeps a server from voting for a ttl that was asked for while it was down', () => {
    const clock = new VirtualClock();
    const guard = new RestartGuard('witnessed', clock);
    const connection = new ScriptedConnection();
    connection.state = { status: 'down', cause: new Error('ECONNREFUSED') };
    const queue = new NodeQueue(redisLockNode(connection, { clock, guard }), clock, 1);
    queue.send({ ...request('acquire'), claims: [{ key: 'k', ttlMs: 30_000 }] });
    expect(connection.calls).toEqual([]);
    for (const marker of ['before', 'after']) guard.onMarker(marker);
    expect(guard.leftMs()).toBe(30_000);
  });

  it("takes a server's error for an answer, and everything else for a broken connection", async () => {
    const { connection, node } = setUp();
    connection.failure = new ServerError('OOM command not allowed');
    expect(await execute(node, [request('acquire')])).toMatchObject([
      { outcome: 'failed', reason: 'refused', cause: { message: 'OOM command not allowed' } },
    ]);
    connection.failure = new Error('Connection is closed.');
    await expect(execute(node, [request('acquire')])).rejects.toThrow('Connection is closed.');
  });

  it('sends the script again where the server has refused it, so that it says again why', async () => {
    const { connection, node, commands } = setUp();
    connection.failure = new ServerError("NOPERM User has no permissions to run the 'eval' command");
    await execute(node, [request('acquire')]);
    await execute(node, [request('acquire')]);
    expect(commands()).toEqual(['eval', 'eval']);
  });

  it('says what a server has refused without the hash and the line of the script, on one line', async () => {
    const { connection, node } = setUp();
    const sha = LOCK_SCRIPT.sha;
    for (const [said, shown] of [
      [`OOM command not allowed. script: ${sha}, on @user_script:12.`, 'OOM command not allowed'],
      [`ERR Error running script (call to f_${sha}): @user_script:12: NOPERM no permission`, 'NOPERM no permission'],
      ['BUSY\r\nforged \u001b[31m', 'BUSY\\r\\nforged \\u001b[31m'],
    ] as const) {
      connection.failure = new ServerError(said);
      expect(await execute(node, [request('acquire')])).toMatchObject([
        { outcome: 'failed', cause: { message: shown } },
      ]);
    }
  });
});

describe('P12: the marker', () => {
  /** A server that keeps a marker, as the script does, and can be flushed. */
  class MarkedConnection extends ScriptedConnection {
    marker: string | undefined;
    /** How long ago a witness has noticed a loss. */
    lostForMs: number | undefined;
    readonly proposals: string[] = [];

    protected override async call(command: string, args: readonly (string | number)[]): Promise<unknown> {
      if (command === 'info') return 'run_id:a\r\nrole:master\r\naof_enabled:1\r\n';
      const [, keys, ...rest] = args;
      const [expected, proposal] = rest.slice(Number(keys)).map(String);
      this.proposals.push(proposal ?? '');
      this.marker ??= proposal;
      const forgotten = expected !== '' && expected !== this.marker;
      await super.call(command, args);
      const told = expected === '' && this.lostForMs !== undefined ? [this.marker, this.lostForMs] : this.marker;
      return [told, ...Array.from({ length: Number(keys) - 1 }, () => (forgotten ? [3] : [1, 0]))];
    }
  }

  async function connected(): Promise<{ connection: MarkedConnection; node: RedisLockNode }> {
    const connection = new MarkedConnection();
    const node = redisLockNode(connection);
    await eventually(() => node.ensureConnected().status === 'ready');
    return { connection, node };
  }

  it('is planted on the first connection, before anything is locked, so that a flush from then on is seen', async () => {
    const { connection, node } = await connected();
    expect(connection.marker).toBeDefined();
    connection.marker = undefined;
    expect(await execute(node, [request('acquire')])).toMatchObject([{ outcome: 'failed', reason: 'untrusted' }]);
  });

  it('tells a process that has just started of a loss: it counts no vote of what had left before it heard of that', async () => {
    const connection = new MarkedConnection();
    connection.marker = 'planted by a witness@1';
    connection.lostForMs = 4;
    const node = redisLockNode(connection, { clock: new VirtualClock() });
    const failure = {
      ...{ outcome: 'failed', reason: 'untrusted' },
      cause: { message: expect.stringContaining('lost its data') },
    };
    expect(await execute(node, [request('acquire'), request('release')])).toMatchObject([
      failure,
      { outcome: 'released' },
    ]);
    expect(node.reasonNotToVote(request('acquire'))).toBeDefined();
    connection.lostForMs = 5;
    const later = redisLockNode(connection, { clock: new VirtualClock() });
    expect(await execute(later, [request('acquire')])).toMatchObject([{ outcome: 'granted' }]);
    expect(later.reasonNotToVote(request('acquire'))).toBeUndefined();
  });

  it('is another one after each loss, also where one call is on its way while another one is answered', async () => {
    const { connection, node } = await connected();
    const calls = [execute(node, [request('acquire')]), execute(node, [request('acquire')])];
    await Promise.all(calls);
    for (let loss = 0; loss < 3; loss++) {
      connection.marker = undefined;
      await execute(node, [request('acquire')]);
    }
    expect(new Set(connection.proposals).size).toBe(connection.proposals.length);
  });
});
