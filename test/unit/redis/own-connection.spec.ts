import { afterEach, describe, expect, it } from '@jest/globals';
import { createServer, type Server, type Socket } from 'node:net';
import type { NodeState } from '../../../lib/core/ports/lock-node.js';
import { call } from '../../../lib/redis/connection.js';
import { OwnConnection } from '../../../lib/redis/own-connection.js';
import { SystemClock } from '../../../lib/system/system-clock.js';
import { eventually } from '../../support/eventually.js';
import { VirtualClock } from '../../support/virtual-clock.js';

/** Accepts and says nothing, or what it is told to: enough of a server to see what a client does about it. */
class SilentServer {
  readonly sockets: Socket[] = [];
  received = '';
  #server: Server | undefined;

  async listen(port = 0, reply?: (text: string) => string): Promise<number> {
    const server = createServer((socket) => {
      this.sockets.push(socket);
      socket.on('error', () => undefined);
      socket.on('data', (data) => {
        this.received += data.toString();
        if (reply) socket.write(reply(data.toString()));
      });
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    return (server.address() as { port: number }).port;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => (this.#server ? this.#server.close(resolve) : resolve(undefined)));
  }
}

const servers: SilentServer[] = [];
const connections: OwnConnection[] = [];
afterEach(async () => {
  for (const connection of connections.splice(0)) connection.close();
  for (const server of servers.splice(0)) await server.close();
});

const NEVER_AGAIN = { reconnectDelayMs: 60_000, maxReconnectDelayMs: 60_000 };

function connectTo(
  port: number,
  rules = { reconnectDelayMs: 30, maxReconnectDelayMs: 60 },
  more: object = {},
): OwnConnection {
  const connection = new OwnConnection(
    's',
    () => ({ host: '127.0.0.1', port, ...more }),
    rules,
    new SystemClock(),
    () => 1,
  );
  connections.push(connection);
  return connection;
}

async function serverFor(reply?: (text: string) => string): Promise<{ server: SilentServer; port: number }> {
  const server = new SilentServer();
  servers.push(server);
  return { server, port: await server.listen(0, reply) };
}

describe('a connection of our own', () => {
  // From the first answer on this package writes its commands without the client.
  it.each([
    ['', []],
    [', also after an answer', ['ping']],
  ])(
    'P11, P17: after ten seconds of silence is given up, said to be down, and reset, so that nothing of it comes late%s',
    async (_, answered) => {
      const { server, port } = await serverFor((text) => (text.includes('ping') ? '+PONG\r\n' : ''));
      const clock = new VirtualClock();
      const options = { host: '127.0.0.1', port };
      const rules = { reconnectDelayMs: 300, maxReconnectDelayMs: 3000 };
      const connection = new OwnConnection(
        's',
        () => options,
        rules,
        clock,
        () => 1,
      );
      connections.push(connection);
      const told: NodeState[] = [];
      connection.onChange((state) => {
        told.push(state);
        connection.ensureConnected(); // Whoever is told wishes for the next try at once, so asking would not show that it was down.
      });
      connection.ensureConnected();
      await eventually(() => told.length === 1 && server.sockets.length === 1);
      const ends: unknown[] = [];
      server.sockets[0]!.on('error', (error: NodeJS.ErrnoException) => ends.push(error.code));
      for (const command of answered) await call(connection, command, []);
      const answer = call(connection, 'evalsha', ['x', 0]).then(String, () => 'failed');
      await eventually(() => server.received.includes('evalsha'));
      await clock.advance(10_001);
      expect(await answer).toBe('failed');
      await eventually(() => told.length >= 2 && ends.length === 1);
      expect(told.slice(0, 2)).toMatchObject([
        { status: 'ready' },
        { status: 'down', cause: { message: 'no answer for 10000 ms' } },
      ]);
      expect(ends).toEqual(['ECONNRESET']);
    },
  );

  it('connects when it is first wanted, not before', async () => {
    const { server, port } = await serverFor();
    const connection = connectTo(port);
    expect(server.sockets).toHaveLength(0);
    expect(connection.ensureConnected()).toEqual({ status: 'connecting' });
    await eventually(() => connection.ensureConnected().status === 'ready');
    expect(server.sockets).toHaveLength(1);
  });

  it('says why it is down', async () => {
    const { server, port } = await serverFor();
    await server.close();
    const connection = connectTo(port, NEVER_AGAIN);
    connection.ensureConnected();
    await eventually(() => connection.ensureConnected().status === 'down');
    expect(connection.ensureConnected()).toMatchObject({
      status: 'down',
      cause: { message: expect.stringContaining('ECONNREFUSED') },
    });
    await expect(call(connection, 'PING', [])).rejects.toThrow('ECONNREFUSED');
  });

  it('P11: sends nothing again after a break, and nothing that was asked for meanwhile', async () => {
    const { server, port } = await serverFor();
    const connection = connectTo(port);
    connection.ensureConnected();
    await eventually(() => connection.ensureConnected().status === 'ready');
    const answer = call(connection, 'SET', ['k', 'v']).catch((error: unknown) => (error as Error).message);
    await eventually(() => server.received.includes('SET'));
    server.received = '';
    server.sockets[0]?.destroy();
    expect(await answer).toEqual(expect.any(String));
    await expect(call(connection, 'SET', ['k', 'v'])).rejects.toThrow();
    await eventually(() => connection.ensureConnected().status === 'ready');
    const epoch = connection.epoch;
    await eventually(() => server.sockets.length >= 2);
    expect(server.received).toBe('');
    expect(epoch).toBe(2);
  });

  it.each([[['SET']], [['ping', 'SET']]])(
    'P11: is down before the commands that are under way fail, so that their releases wait for the next connection: %j',
    async (commands) => {
      const { server, port } = await serverFor((text) => (text.includes('ping') ? '+PONG\r\n' : ''));
      const connection = connectTo(port, NEVER_AGAIN);
      const events: string[] = [];
      connection.onChange(({ status }) => events.push(status));
      connection.ensureConnected();
      await eventually(() => connection.ensureConnected().status === 'ready');
      for (const name of commands.slice(0, -1)) await call(connection, name, []);
      for (let times = 0; times < 2; times++) {
        connection.send(
          'SET',
          ['k', 'v'],
          () => undefined,
          () => events.push(`failed when ${connection.ensureConnected().status}`),
        );
      }
      await eventually(() => server.received.split('SET').length === 3);
      server.sockets[0]?.destroy();
      await eventually(() => events.length >= 4);
      expect(events).toEqual(['ready', 'down', 'failed when down', 'failed when down']);
    },
  );

  it('fails what it is asked for while the server closes it', async () => {
    const { server, port } = await serverFor(() => '+PONG\r\n');
    const connection = connectTo(port, NEVER_AGAIN);
    connection.ensureConnected();
    await eventually(() => connection.ensureConnected().status === 'ready');
    await call(connection, 'ping', []);
    await call(connection, 'ping', []);
    server.sockets[0]?.destroy();
    const answers = Array.from({ length: 3 }, () => call(connection, 'ping', []));
    const results = await Promise.allSettled(answers);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  });

  it("puts the client's own prefix before the keys of each command", async () => {
    const { server, port } = await serverFor(() => '+PONG\r\n');
    const connection = connectTo(port, NEVER_AGAIN, { keyPrefix: 'app:' });
    connection.ensureConnected();
    await eventually(() => connection.ensureConnected().status === 'ready');
    for (let times = 0; times < 2; times++) await call(connection, 'evalsha', ['hash', 2, 'one', 'gr\u00fcn', 'three']);
    const expected =
      '*6\r\n$7\r\nevalsha\r\n$4\r\nhash\r\n$1\r\n2\r\n$7\r\napp:one\r\n$9\r\napp:gr\u00fcn\r\n$5\r\nthree\r\n';
    expect(server.received).toBe(expected.repeat(2));
  });

  it('P11: fails all that it is asked for before it is connected, and works then', async () => {
    const { server, port } = await serverFor(() => '+PONG\r\n');
    const connection = connectTo(port, NEVER_AGAIN);
    connection.ensureConnected();
    const early = [1, 2].map(() => call(connection, 'SET', ['k', 'v']));
    expect((await Promise.allSettled(early)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(call(connection, 'SET', ['k', 'v'])).rejects.toThrow();
    await eventually(() => connection.ensureConnected().status === 'ready');
    expect(await call(connection, 'ping', [])).toBe('PONG');
    expect(server.received).not.toContain('SET');
  });

  it('P11: is down before a command fails that it was asked for while it ended', async () => {
    let reply = '+PONG\r\n';
    const { port } = await serverFor(() => reply);
    const connection = connectTo(port, NEVER_AGAIN);
    connection.ensureConnected();
    await eventually(() => connection.ensureConnected().status === 'ready');
    await call(connection, 'ping', []);
    reply = '+PONG\r\n?\r\n';
    await call(connection, 'ping', []); // It is answered; then the socket is destroyed, in the same read.
    const events: string[] = [];
    connection.send(
      'SET',
      ['k', 'v'],
      () => undefined,
      () => events.push(`failed when ${connection.ensureConnected().status}`),
    );
    await eventually(() => events.length === 1);
    expect(events).toEqual(['failed when down']);
  });

  it("gives a silent server up after the user's own socketTimeout, also after its first answer", async () => {
    const { port } = await serverFor((text) => (text.includes('ping') ? '+PONG\r\n' : ''));
    const connection = connectTo(port, NEVER_AGAIN, { socketTimeout: 100 });
    connection.ensureConnected();
    await eventually(() => connection.ensureConnected().status === 'ready');
    await call(connection, 'ping', []);
    await expect(call(connection, 'SET', ['k', 'v'])).rejects.toThrow();
    expect(connection.ensureConnected()).toMatchObject({
      status: 'down',
      cause: { message: expect.stringContaining('imeout') },
    });
  });

  it('answers in the order of the commands, also where the server refuses one of them', async () => {
    const replies: Record<string, string> = { get: '-ERR refused\r\n', ping: '+PONG\r\n' };
    const { port } = await serverFor((text) => (text.match(/get|ping/g) ?? []).map((name) => replies[name]).join(''));
    const connection = connectTo(port);
    connection.ensureConnected();
    await eventually(() => connection.ensureConnected().status === 'ready');
    const answers: unknown[] = [];
    for (const command of ['ping', 'get', 'ping']) {
      connection.send(
        command,
        [],
        (reply) => answers.push(reply),
        ({ message }) => answers.push(message),
      );
    }
    expect(answers).toEqual([]);
    await eventually(() => answers.length === 3);
    expect(answers).toEqual(['PONG', 'ERR refused', 'PONG']);
  });

  it('tells its listeners of every change', async () => {
    const { server, port } = await serverFor();
    const connection = connectTo(port, NEVER_AGAIN);
    const states: string[] = [];
    connection.onChange(() => states.push(connection.ensureConnected().status));
    connection.ensureConnected();
    await eventually(() => states.includes('ready'));
    server.sockets[0]?.destroy();
    await eventually(() => states.includes('down'));
    connection.close();
    expect(states).toEqual(['ready', 'down', 'down']);
  });

  it('never puts a command or its arguments into an error', async () => {
    const { port } = await serverFor(() => '-ERR no such thing\r\n');
    const connection = connectTo(port);
    connection.ensureConnected();
    await eventually(() => connection.ensureConnected().status === 'ready');
    const error = await call(connection, 'AUTH', ['secret']).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ message: 'ERR no such thing' });
    expect(JSON.stringify(error) + Object.keys(error as object).join()).not.toMatch(/secret|command/);
  });
});

describe('P17: a server that hangs up', () => {
  it('with its reason is down for that reason, whatever the socket makes of it', async () => {
    const { server, port } = await serverFor();
    const connection = connectTo(port, NEVER_AGAIN);
    connection.ensureConnected();
    await eventually(() => server.sockets.length === 1);
    server.sockets[0]?.end('-ERR max number of clients reached\r\n');
    await eventually(() => connection.ensureConnected().status === 'down');
    expect(connection.ensureConnected()).toMatchObject({ cause: { message: 'ERR max number of clients reached' } });
  });

  it('before it says anything is said to do what a port with TLS does', async () => {
    const { server, port } = await serverFor();
    const connection = connectTo(port, NEVER_AGAIN);
    connection.ensureConnected();
    await eventually(() => server.sockets.length === 1);
    server.sockets[0]?.destroy();
    await eventually(() => connection.ensureConnected().status === 'down');
    expect(connection.ensureConnected()).toMatchObject({
      cause: { message: expect.stringContaining('rediss:// URL') },
    });
  });

  it('while it is idle, or just when it is asked, is connected again at once; only if that fails it is down', async () => {
    const { server, port } = await serverFor((text) => (text.includes('die') ? '' : '+PONG\r\n'));
    const connection = connectTo(port, { reconnectDelayMs: 10, maxReconnectDelayMs: 10 });
    const states: string[] = [];
    connection.onChange(({ status }) => states.push(status));
    connection.ensureConnected();
    for (const last of ['ping', 'die']) {
      await eventually(() => connection.ensureConnected().status === 'ready');
      await call(connection, 'ping', []);
      await new Promise((resolve) => setTimeout(resolve, 15));
      const answer = call(connection, last, []).catch(() => undefined);
      await eventually(() => server.received.includes(last));
      server.sockets.at(-1)?.destroy();
      await answer;
      await eventually(() => states.at(-1) === 'ready' && connection.ensureConnected().status === 'ready');
    }
    expect(states).not.toContain('down');
    await call(connection, 'ping', []);
    await new Promise((resolve) => setTimeout(resolve, 15));
    await server.close();
    await eventually(() => states.includes('down'));
  });
});

describe('the pauses between two tries to connect', () => {
  /** To a port where no server listens; each try asks for the target. */
  async function setUp(
    rules: { reconnectDelayMs: number; maxReconnectDelayMs: number },
    random: number,
  ): Promise<{ clock: VirtualClock; connection: OwnConnection; tries: () => number; failed: () => Promise<void> }> {
    const { server, port } = await serverFor();
    await server.close();
    const clock = new VirtualClock();
    const connection = new OwnConnection(
      's',
      () => ({ host: '127.0.0.1', port }),
      rules,
      clock,
      () => random,
    );
    connections.push(connection);
    // Not by asking for it: that is a wish, too.
    let downs = 0;
    connection.onChange(() => downs++);
    connection.ensureConnected();
    const failed = async (): Promise<void> => {
      await eventually(() => downs === connection.epoch);
    };
    await failed();
    return { clock, connection, tries: () => connection.epoch, failed };
  }

  it.each([
    [0, [300, 300, 300, 300]],
    [0.5, [450, 750, 1150, 1150, 1150]],
    [0.999999, [600, 1200, 2000, 2000, 2000]],
  ])(
    'are random (%d) between reconnectDelay and a bound that doubles up to maxReconnectDelay',
    async (random, delays) => {
      const { clock, tries, failed } = await setUp({ reconnectDelayMs: 300, maxReconnectDelayMs: 2000 }, random);
      for (const [index, delayMs] of delays.entries()) {
        await clock.advance(delayMs - 1);
        expect(tries()).toBe(index + 1);
        await clock.advance(1);
        expect(tries()).toBe(index + 2);
        await failed();
      }
    },
  );

  it('are cut short by a wish, but not below reconnectDelay', async () => {
    const { clock, connection, tries, failed } = await setUp({ reconnectDelayMs: 300, maxReconnectDelayMs: 60_000 }, 1);
    for (let index = 2; index < 6; index++) {
      clock.stall(299);
      expect(connection.ensureConnected().status).toBe('down');
      clock.stall(1);
      expect(connection.ensureConnected().status).toBe('connecting');
      expect(tries()).toBe(index);
      await failed();
    }
  });

  it('begin low again after a connection that has worked, which is replaced at once', async () => {
    const { server, port } = await serverFor(() => '+PONG\r\n');
    const clock = new VirtualClock();
    const rules = { reconnectDelayMs: 300, maxReconnectDelayMs: 60_000 };
    const connection = new OwnConnection(
      's',
      () => ({ host: '127.0.0.1', port }),
      rules,
      clock,
      () => 0,
    );
    connections.push(connection);
    const states: string[] = [];
    connection.onChange(({ status }) => states.push(status));
    connection.ensureConnected();
    for (let round = 1; round <= 3; round++) {
      await eventually(() => states.filter((state) => state === 'ready').length === round);
      await call(connection, 'ping', []);
      await clock.advance(300);
      server.sockets.at(-1)?.destroy();
      await eventually(() => connection.epoch === round + 1);
    }
    expect(states).not.toContain('down');
  });
});
