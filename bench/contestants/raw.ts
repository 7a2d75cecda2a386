import { randomBytes } from 'node:crypto';
import { setTimeout as pass } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { connect } from './clients.js';
import { RETRY_MS, TTL_MS, WAITED_TTL_MS, type Contestant } from './contestant.js';

const COMPARE_AND_DELETE = `if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end`;

/** Takes the lock, counts the fencing number and looks whether the server has lost its data, as the lock script of this package does. */
const FENCED = `
if redis.call('get', KEYS[3]) ~= ARGV[3] then return 0 end
if not redis.call('set', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 0 end
redis.call('set', KEYS[2], (tonumber(redis.call('get', KEYS[2])) or 0) + 1, 'PX', 2 * ARGV[2])
return 1`;

const MARKER = 'bench:marker';

/** The algorithm and nothing around it: no validity, no fencing, no timeout, no extension. The floor of what uses ioredis. */
export async function open(urls: readonly string[]): Promise<Contestant> {
  const clients = await connect(urls);
  const shas = await Promise.all(clients.map((client) => client.script('LOAD', COMPARE_AND_DELETE) as Promise<string>));
  return new Raw(clients, shas[0]!);
}

/** The same with what fencing and lost data need on the servers: the floor of what has both. */
export async function openFenced(urls: readonly string[]): Promise<Contestant> {
  const clients = await connect(urls);
  const load = (script: string): Promise<unknown[]> =>
    Promise.all(clients.map((client) => client.script('LOAD', script)));
  const [[remove], [take]] = (await Promise.all([load(COMPARE_AND_DELETE), load(FENCED)])) as [string[], string[]];
  await Promise.all(clients.map((client) => client.set(MARKER, MARKER)));
  return new Raw(clients, remove!, take);
}

class Raw implements Contestant {
  readonly #prefix = randomBytes(12).toString('hex');
  readonly #majority: number;
  #count = 0;

  constructor(
    private readonly clients: readonly Redis[],
    private readonly removeSha: string,
    private readonly takeSha?: string,
  ) {
    this.#majority = Math.floor(clients.length / 2) + 1;
  }

  async cycle(key: string): Promise<void> {
    const token = this.#token();
    if (!(await this.#set(key, token, TTL_MS))) throw new Error(`${key} is locked`);
    await this.#remove(key, token);
  }

  async tryOnce(key: string): Promise<boolean> {
    const token = this.#token();
    if (await this.#set(key, token, TTL_MS)) return true;
    await this.#remove(key, token);
    return false;
  }

  async take(key: string, waitMs: number): Promise<(() => Promise<unknown>) | undefined> {
    const endMs = performance.now() + waitMs;
    while (performance.now() < endMs) {
      const token = this.#token();
      if (await this.#set(key, token, WAITED_TTL_MS)) return () => this.#remove(key, token);
      await this.#remove(key, token);
      await pass(Math.random() * 2 * RETRY_MS);
    }
    return undefined;
  }

  #token(): string {
    return this.#prefix + String(++this.#count);
  }

  #set(key: string, token: string, ttlMs: number): Promise<boolean> {
    const { takeSha } = this;
    if (takeSha === undefined) {
      return this.#ask(async (client) => (await client.set(key, token, 'PX', ttlMs, 'NX')) === 'OK');
    }
    const keys = [key, `${key}:fence`, MARKER] as const;
    return this.#ask(async (client) => (await client.evalsha(takeSha, 3, ...keys, token, ttlMs, MARKER)) === 1);
  }

  #remove(key: string, token: string): Promise<boolean> {
    return this.#ask(async (client) => Number.isInteger(await client.evalsha(this.removeSha, 1, key, token)));
  }

  /** Resolves with the vote that decides, as the libraries do that are compared. */
  #ask(vote: (client: Redis) => Promise<boolean>): Promise<boolean> {
    return new Promise((resolve, reject) => {
      let yes = 0;
      let no = 0;
      for (const client of this.clients) {
        vote(client).then((isYes) => {
          if (isYes) yes++;
          else no++;
          if (yes === this.#majority) resolve(true);
          else if (no > this.clients.length - this.#majority) resolve(false);
        }, reject);
      }
    });
  }
}
