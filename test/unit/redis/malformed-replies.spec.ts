import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { createServer, type Server, type Socket } from 'node:net';
import { ProvidedClientSubscriber, type Original } from '../../../lib/redis/provided-client-subscriber.js';
import { call } from '../../../lib/redis/connection.js';
import type { OwnConnection } from '../../../lib/redis/own-connection.js';
import { ReplyReader } from '../../../lib/redis/reply-reader.js';
import { MalformedReplyError } from '../../../lib/redis/resp-line.js';
import { SystemClock } from '../../../lib/system/system-clock.js';
import { eventually } from '../../support/eventually.js';

/** What no Redis answers to a command of ours, in RESP2. */
const MALFORMED = [
  ...[':5', ':-1', ':', ':abc', ':99999999999999999999', '$-1', '*-1', '*0', '$0\r\n', '$1\r\na', '+', '+x'],
  ...['$-2', '$abc', '$1e3', '$99999999999', '$16777217', '*4294967296', '*4294967295', '*100001', '*-2', '*x', '* 3'],
  ...[
    '%1\r\n+a\r\n+b',
    '~1\r\n+a',
    '>3\r\n+message\r\n+a\r\n+b',
    '>1\r\n$-1',
    '_',
    '#t',
    ',1.5',
    '(12345',
    '=5\r\ntxt:a',
  ],
  ...['!3\r\nERR', '|1\r\n+a\r\n+b', '.', '', 'OK', 'PONG', 'HTTP/1.1 400 Bad Request', '<html>', '{"error":"no"}'],
  ...[
    '\x15\x03\x01\x00\x02\x02\x46',
    '\x00\x00\x00\x00',
    '*1\r\n'.repeat(20),
    '*2\r\n+a\r\nb',
    `+${'x'.repeat(70_000)}`,
  ],
];

/** What is well-formed, but not in the place of a message or of an answer to SUBSCRIBE. */
const NO_MESSAGE = [
  ...['*1\r\n$1\r\na', '*2\r\n+a\r\n+b', '*3\r\n$-1\r\n$-1\r\n:1', '*3\r\n:1\r\n$1\r\na\r\n:1'],
  ...['*3\r\n$7\r\nmessage\r\n$-1\r\n$-1', '*3\r\n*1\r\n+a\r\n+b\r\n+c', '*3\r\n+subscribe\r\n:1\r\n:1'],
];

const read = (text: string, subscribed = false): ReplyReader => {
  const check = new ReplyReader();
  check.subscribed = subscribed;
  check.read(Buffer.from(`${text}\r\n`, 'latin1'));
  return check;
};

describe('P17: what a server sends', () => {
  it.each(MALFORMED)('is refused where no Redis says so: %j', (text) => {
    for (const subscribed of [false, true]) expect(() => read(text, subscribed)).toThrow(MalformedReplyError);
  });

  it.each(NO_MESSAGE)('is refused on a connection that is subscribed: %j', (text) => {
    expect(() => read(text, true)).toThrow(MalformedReplyError);
  });

  it.each([
    ['+OK', false],
    ['-ERR no', false],
    ['$5\r\nhello', false],
    ['$5\r\n*-9\r\n', false],
    ['*2\r\n$1\r\nm\r\n*2\r\n:1\r\n:-7', false],
    ['*3\r\n$1\r\nm\r\n*0\r\n*4\r\n:0\r\n:1\r\n$-1\r\n:-1', false],
    ['*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1', true],
    ['*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$0\r\n', true],
    ['-NOPERM no', true],
  ])('is read along, in whatever pieces it comes: %j', (text, subscribed) => {
    for (const size of [1, 2, 3, 1000]) {
      const check = new ReplyReader();
      check.subscribed = subscribed;
      const bytes = Buffer.from(`${text}\r\n`.repeat(3));
      for (let at = 0; at < bytes.length; at += size) check.read(bytes.subarray(at, at + size));
      expect(check.lastError).toBe(text.startsWith('-') ? text.slice(1) : undefined);
      expect(() => {
        check.read(Buffer.from('?'));
      }).toThrow(MalformedReplyError);
    }
  });

  it.each([
    ['+OK', 'OK'],
    ['-ERR no', new Error('ERR no')],
    ['$5\r\nhello', 'hello'],
    ['$6\r\ngr\xc3\xbc\xc3\x9f', 'gr\u00fc\u00df'],
    ['$5\r\n*-9\r\n', '*-9\r\n'],
    ['*2\r\n$1\r\nm\r\n*2\r\n:1\r\n:-7', ['m', [1, -7]]],
    ['*4\r\n$0\r\n\r\n*0\r\n*4\r\n:0\r\n:1\r\n$-1\r\n*-1\r\n+a', ['', [], [0, 1, null, null], 'a']],
    ['*1\r\n-ERR no', [new Error('ERR no')]],
  ])('is taken as what it means, in whatever pieces it comes: %j', (text, meaning) => {
    for (const size of [1, 2, 3, 1000]) {
      const reader = new ReplyReader();
      const taken: unknown[] = [];
      reader.read(Buffer.from('+for the client\r\n'));
      reader.takeReplies((reply) => taken.push(reply));
      const bytes = Buffer.from(`${text}\r\n`.repeat(3), 'latin1');
      for (let at = 0; at < bytes.length; at += size) expect(reader.read(bytes.subarray(at, at + size))).toBe(true);
      expect(taken).toEqual([meaning, meaning, meaning]);
      expect(() => reader.read(Buffer.from('?'))).toThrow(MalformedReplyError);
    }
  });

  it.each([
    ['\x15\x03\x01', /TLS: a rediss:\/\/ URL/],
    ['HTTP/1.0 200 OK', /web server/],
  ])('is explained where it is of another protocol: %j', (text, message) => {
    expect(() => read(text)).toThrow(message);
  });
});

const connections: OwnConnection[] = [];
const sockets = new Set<Socket>();
let server: Server | undefined;
afterEach(async () => {
  for (const connection of connections.splice(0)) connection.close();
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
  server = undefined;
});

/** A server of replies that the test writes itself. */
async function listen(onData: (text: string, socket: Socket) => void): Promise<number> {
  const listening = createServer((socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket
      .on('error', () => undefined)
      .on('data', (data) => {
        onData(data.toString(), socket);
      });
  });
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  return (listening.address() as { port: number }).port;
}

/** Answers everything with the same bytes. */
function answering(reply: () => string): Promise<number> {
  return listen((_, socket) => socket.write(reply(), 'latin1'));
}

/** The class over this version of ioredis. */
async function over(name: 'ioredis' | 'ioredis5'): Promise<typeof OwnConnection> {
  jest.resetModules();
  const library = (await import(name)) as typeof import('ioredis');
  jest.unstable_mockModule('ioredis', () => library);
  expect((await import('ioredis')).Redis).toBe(library.Redis);
  return (await import('../../../lib/redis/own-connection.js')).OwnConnection;
}

describe.each(['ioredis', 'ioredis5'] as const)('P17: a connection of our own over %s', (name) => {
  async function connectionTo(port: number, more: object = {}, delayMs = 60_000): Promise<OwnConnection> {
    const Connection = await over(name);
    const rules = { reconnectDelayMs: delayMs, maxReconnectDelayMs: delayMs };
    const connection = new Connection(
      's',
      () => ({ host: '127.0.0.1', port, ...more }),
      rules,
      new SystemClock(),
      () => 0,
    );
    connections.push(connection);
    return connection;
  }

  it('is over with its reason after each malformed reply, to INFO as to SUBSCRIBE and a script, and the process lives', async () => {
    let reply = '';
    const port = await answering(() => reply);
    const connection = await connectionTo(port, {}, 1);
    const causes: string[] = [];
    connection.onChange((state) => {
      if (state.status === 'down') causes.push(state.cause.message);
    });
    // The first command of a connection is sent by the client; the lock script after it is not.
    for (const command of ['info', 'subscribe', 'evalsha']) {
      for (const text of [...MALFORMED, ...(command === 'subscribe' ? NO_MESSAGE : [])]) {
        await eventually(() => connection.ensureConnected().status === 'ready');
        causes.length = 0;
        reply = '$5\r\nhello\r\n';
        if (command === 'evalsha') expect(await call(connection, 'info', [])).toBe('hello');
        reply = `${text}\r\n`;
        await expect(call(connection, command, command === 'info' ? [] : ['channel'])).rejects.toThrow();
        await eventually(() => causes.length > 0);
        expect({ text, cause: causes[0] }).toEqual({
          text,
          cause: expect.stringMatching(/^its reply is not one of a/),
        });
      }
    }
  });

  it('a copy of a given client is over as well after each in answer to SUBSCRIBE', async () => {
    const { Redis } = (await import(name)) as typeof import('ioredis');
    let reply = '';
    const port = await answering(() => reply);
    const options = { host: '127.0.0.1', port, lazyConnect: true, enableReadyCheck: false, disableClientInfo: true };
    for (const text of [...MALFORMED, ...NO_MESSAGE]) {
      reply = `${text}\r\n`;
      const given = new Redis({ ...options, retryStrategy: () => null, disconnectTimeout: 10 });
      const copy = new ProvidedClientSubscriber('s', given as unknown as Original, new SystemClock());
      await eventually(() => copy.ensureConnected().status === 'ready');
      await expect(call(copy, 'subscribe', ['channel'])).rejects.toThrow();
      await eventually(() => copy.ended);
      copy.close();
    }
  });

  it.each(['$5\r\nhello\r', '+hello\r', '-ERR no\r', '*1\r\n:1\r', '*2\r\n$1\r\na\r\n$1\r\nb\r'])(
    'takes no end of the reply before for the answer to a script: %j',
    async (cut) => {
      // ioredis 6 calls back before the last byte has come, and ioredis 5 when it has.
      let last = '';
      const port = await listen((text, socket) => {
        const sendLast = (): void => {
          socket.write(last);
          last = '';
        };
        if (text.includes('info')) {
          socket.write(cut);
          last = '\n';
          setTimeout(sendLast, 50);
        } else {
          sendLast();
          socket.write('$5\r\nworld\r\n');
        }
      });
      const connection = await connectionTo(port);
      connection.ensureConnected();
      await eventually(() => connection.ensureConnected().status === 'ready');
      const answer = new Promise((resolve, reject) => {
        const next = (): void => {
          call(connection, 'evalsha', ['x', 0]).then(resolve, reject);
        };
        connection.send('info', [], next, next);
      });
      expect(await answer).toBe('world');
    },
  );

  it('takes no reply to the handshake for one to a command, also when it was asked too early', async () => {
    const replies: Record<string, string> = { auth: '+OK\r\n', info: '$5\r\nhello\r\n' };
    const port = await listen((text, socket) => {
      for (const each of text.match(/auth|info/g) ?? []) socket.write(replies[each] ?? '');
    });
    const connection = await connectionTo(port, { password: 'secret' });
    const answer = new Promise((resolve, reject) => {
      connection.onChange(({ status }) => {
        if (status === 'ready') call(connection, 'info', []).then(resolve, reject);
      });
    });
    connection.ensureConnected();
    await expect(call(connection, 'info', [])).rejects.toThrow();
    expect(await answer).toBe('hello');
  });

  it.each([
    ['ping', '+PONG\r\n+PONG\r\n+PONG\r\n', 'PONG'],
    ['evalsha', '*1\r\n:1\r\n*1\r\n:2\r\n', [1]],
  ])('is over when it is sent what was not asked for, in answer to %s', async (command, replies, first) => {
    let reply = '$5\r\nhello\r\n';
    const port = await answering(() => reply);
    const connection = await connectionTo(port);
    connection.ensureConnected();
    await eventually(() => connection.ensureConnected().status === 'ready');
    // The client sends the first command of a connection, and none after it.
    if (command === 'evalsha') await call(connection, 'info', []);
    reply = replies;
    expect(await call(connection, command, [])).toEqual(first);
    await eventually(() => connection.ensureConnected().status === 'down');
    expect(connection.ensureConnected()).toMatchObject({
      cause: { message: 'it has sent a reply to nothing that it was asked' },
    });
  });
});
