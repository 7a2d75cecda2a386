import type { RedisOptions } from 'ioredis';
import { InvalidOptionsError } from '../../core/errors/index.js';
import { shardIdentity } from '../../core/shard.js';
import type { RedisClient } from '../../interfaces/index.js';
import { refuse, refuseNumber } from './check.js';
import { DEFAULT_PORT, fromUrl } from './server-url.js';

/** Where and how to connect. A function, so that nobody who prints what holds it prints a password. */
export type Target = () => RedisOptions;

/** A server as it was configured: one that we connect to, or a client that was given. */
export type ServerSpec = {
  readonly name: string;
  /** What tells it from other servers: its name, and behind Sentinels which they are, because most call their master alike. */
  readonly place: string;
} & (
  { readonly kind: 'own'; readonly target: Target } | { readonly kind: 'given'; readonly client: () => RedisClient }
);

const DEFAULT_SENTINEL_PORT = 26_379;

const TAKES = "a redis:// or rediss:// URL, a 'host:port', ioredis options or an ioredis client";

const STAND_IN =
  'takes a client of ioredis, got one without call(), such as that of ioredis-mock: it does not carry out the script of a ' +
  "lock as a Redis does; in tests use RedlockTestingModule of 'redlock-nestjs/testing'";

/** The quorum groups: the servers of one, or several lists of servers. Never puts a URL into a message: it may hold a password. */
export function toShards(servers: unknown, shards: unknown): readonly (readonly ServerSpec[])[] {
  if (shards === undefined) return [toServers(servers)];
  if (servers !== undefined)
    throw new InvalidOptionsError('shards', 'cannot be combined with servers: it takes either');
  const list = toList('shards', 'at least one shard, each of them a list of servers', shards);
  const specs = list.map((shard, index) => {
    const option = `shards[${index}]`;
    return toList(option, `a list of at least one server: ${TAKES}`, shard).map((server, position) =>
      toServer(server, `${option}[${position}]`),
    );
  });
  refuseTwins(specs);
  return specs;
}

function toServers(value: unknown): readonly ServerSpec[] {
  if (value === undefined) {
    throw new InvalidOptionsError('servers', 'takes at least one server, or use shards instead; got neither');
  }
  const list = Array.isArray(value) ? (value as unknown[]) : [value];
  if (list.length === 0) throw refuse('servers', `at least one server: ${TAKES}`, value);
  return list.map((server, index) => toServer(server, list.length > 1 ? `servers[${index}]` : 'servers'));
}

/** With an entry for each hole: `new Array(2)` are two servers that are missing. */
function toList(option: string, takes: string, value: unknown): unknown[] {
  if (typeof value === 'string') throw new InvalidOptionsError(option, `takes ${takes}, got a text`);
  if (!Array.isArray(value) || value.length === 0) throw refuse(option, takes, value);
  return Array.from(value as unknown[]);
}

/** Keys could not tell two shards with the same names apart. */
function refuseTwins(shards: readonly (readonly ServerSpec[])[]): void {
  const seen = new Map<string, number>();
  for (const [index, specs] of shards.entries()) {
    const names = specs.map(({ name }) => name);
    const twin = seen.get(shardIdentity(names));
    if (twin !== undefined) {
      const what = `has the same servers as shards[${twin}] (${names.join(', ')}), and a shard is told by their names`;
      throw new InvalidOptionsError(`shards[${index}]`, what);
    }
    seen.set(shardIdentity(names), index);
  }
}

function toServer(server: unknown, option: string): ServerSpec {
  if (typeof server === 'string') {
    const options = fromUrl(server, option, TAKES);
    const host = options.host.includes(':') ? `[${options.host}]` : options.host;
    const name = `${host}:${options.port}`;
    return { kind: 'own', name, place: name, target: () => options };
  }
  if (typeof server !== 'object' || server === null || Array.isArray(server)) throw refuse(option, TAKES, server);
  if (isClient(server)) {
    const options = clientOptions(server);
    refuseUrlAsHost(options, option);
    return { kind: 'given', name: nameOf(options), place: placeOf(options), client: () => server };
  }
  if ('status' in server && 'on' in server) throw new InvalidOptionsError(option, STAND_IN);
  if (!['host', 'port', 'path', 'sentinels'].some((name) => name in server)) {
    throw new InvalidOptionsError(option, `takes ${TAKES}, got an object without host, port, path and sentinels`);
  }
  checkAddress(server, option);
  refuseUrlAsHost(server, option);
  return { kind: 'own', name: nameOf(server), place: placeOf(server), target: () => server };
}

/** What ioredis would throw at, or find out only when it connects. */
function checkAddress(
  { port, sentinels, db }: Partial<Record<'port' | 'sentinels' | 'db', unknown>>,
  option: string,
): void {
  const portNumber = Number(port ?? DEFAULT_PORT);
  if (!Number.isInteger(portNumber) || portNumber < 1 || portNumber > 65_535) {
    throw refuseNumber(`${option}.port`, 'a whole number from 1 to 65535', port);
  }
  if (db !== undefined && db !== null && (!Number.isInteger(db) || (db as number) < 0)) {
    throw refuseNumber(`${option}.db`, 'a whole number, at least 0', db);
  }
  const list: unknown = sentinels ?? [{}];
  if (!Array.isArray(list) || list.length === 0 || list.some((each) => typeof each !== 'object' || each === null)) {
    throw refuse(`${option}.sentinels`, 'a list of at least one { host, port }', sentinels);
  }
}

/** An error about a host that cannot be resolved prints it, and with it a password that may be in there. */
function refuseUrlAsHost({ host, path, sentinels }: RedisOptions, option: string): void {
  const hosts = [host, ...(sentinels ?? []).map((sentinel) => sentinel.host)].map(String);
  if (hosts.some((each) => /:\/\/|@/.test(each)) || String(path).includes('://')) {
    throw new InvalidOptionsError(option, 'takes the mere name of a host in ioredis options, got a URL there');
  }
}

export function isClient(value: object): value is RedisClient {
  return 'call' in value && typeof value.call === 'function' && 'status' in value && 'on' in value;
}

/** Of a Cluster the first node it was given: it is one server to us. */
function clientOptions(client: RedisClient): RedisOptions {
  if ('startupNodes' in client && Array.isArray(client.startupNodes)) {
    const [first] = client.startupNodes as unknown[];
    if (typeof first === 'object' && first !== null) return first;
    if (typeof first === 'string' || typeof first === 'number') return addressIn(String(first));
  }
  return 'options' in client ? (client.options as RedisOptions) : {};
}

function nameOf({ host, port, path, sentinels, name }: RedisOptions): string {
  if (sentinels?.length) return `sentinel:${name ?? 'mymaster'}`;
  return path ?? `${host ?? 'localhost'}:${port ?? DEFAULT_PORT}`;
}

function placeOf(options: RedisOptions): string {
  const { sentinels } = options;
  if (!sentinels?.length) return nameOf(options);
  const hosts = sentinels.map(({ host, port }) => `${host ?? 'localhost'}:${port ?? DEFAULT_SENTINEL_PORT}`);
  return `${nameOf(options)} of ${hosts.sort().join(', ')}`;
}

/** The address in a URL or a port, as ioredis takes them for the nodes of a Cluster. */
function addressIn(node: string): RedisOptions {
  if (/^\d+$/.test(node)) return { port: Number(node) };
  try {
    const { hostname, port } = new URL(node.includes('://') ? node : `redis://${node}`);
    return { host: hostname, ...(port !== '' && { port: Number(port) }) };
  } catch {
    return {};
  }
}
