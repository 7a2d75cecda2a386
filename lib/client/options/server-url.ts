import type { RedisOptions } from 'ioredis';
import { InvalidOptionsError } from '../../core/errors/index.js';

export const DEFAULT_PORT = 6379;

/** What the query of a URL may say. All else is in the options object, or would make the connection unsafe. */
const WHOLE_NUMBERS = ['family', 'db', 'connectTimeout', 'keepAlive'] as const;
const TEXTS = ['connectionName', 'username', 'password'] as const;

/** Characters that end or divide the part of a URL before the @, where they stand in a password as they are. */
const DIVIDES = /[#/?%]/;

const NOT_ENCODED =
  'takes user and password percent-encoded in a URL: put each through encodeURIComponent(), because one of # / ? @ % in ' +
  'there stands for something else';

/**
 * A URL, or a `host:port`, as options of ioredis. No part of it is in a message: a password may be in each.
 *
 * @throws InvalidOptionsError
 */
export function fromUrl(text: string, option: string, takes: string): RedisOptions & { host: string; port: number } {
  const url = parse(text, option, takes);
  if (url.port === '0') throw new InvalidOptionsError(`${option}.port`, 'takes a whole number from 1 to 65535, got 0');
  if (!isEncoded(url)) throw new InvalidOptionsError(option, NOT_ENCODED);
  if (!/^\/?\d*$/.test(url.pathname)) {
    throw new InvalidOptionsError(option, 'takes the number of a database after the slash of a URL, got another text');
  }
  const [username, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password)];
  return {
    ...fromQuery(url.searchParams, option),
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || DEFAULT_PORT),
    ...(username !== '' && { username }),
    ...(password !== '' && { password }),
    ...(url.pathname.length > 1 && { db: Number(url.pathname.slice(1)) }),
    // By the scheme alone: what else asks for it, or against it, would be read over.
    ...(url.protocol === 'rediss:' && { tls: {} }),
  };
}

function parse(text: string, option: string, takes: string): URL {
  const isUrl = text.includes('://');
  const full = isUrl ? text : `redis://${text}`;
  const url = URL.canParse(full) ? new URL(full) : undefined;
  // Without '://' a slash is that of a URL with a slip in it, whose scheme would be taken for the host.
  const isHost = url !== undefined && /^[^,]+$/.test(url.hostname) && (isUrl || !text.includes('/'));
  if (isHost && ['redis:', 'rediss:'].includes(url.protocol)) return url;
  const credentials = /^rediss?:\/\/(.*)@/s.exec(text)?.[1] ?? '';
  if (DIVIDES.test(credentials) && !text.includes(',')) throw new InvalidOptionsError(option, NOT_ENCODED);
  throw new InvalidOptionsError(option, `takes ${takes}, got ${kindOf(text, isHost)}`);
}

/** What such a text is instead. */
function kindOf(text: string, isHost: boolean): string {
  if (text.trim() === '') return 'an empty text';
  if (text.includes(',')) return 'one text with a comma: several servers are a list';
  return isHost ? 'a URL with another scheme' : 'a text that is none of these';
}

/** Where a password is not, a part of it is taken for the host or the port, or for what comes after them. */
function isEncoded({ username, password, pathname, search, hash }: URL): boolean {
  try {
    decodeURIComponent(`${username}:${password}`);
  } catch {
    return false;
  }
  return !`${pathname}${search}${hash}`.includes('@');
}

function fromQuery(query: URLSearchParams, option: string): RedisOptions {
  const options: Record<string, string | number> = {};
  for (const [name, value] of query) {
    if (isOneOf(TEXTS, name)) options[name] = value;
    else if (!isOneOf(WHOLE_NUMBERS, name)) throw unknownName(name, option);
    else if (name === 'family' && !/^[046]$/.test(value)) {
      throw new InvalidOptionsError(option, 'takes 0, 4 or 6 for family in the query of a URL, got something else');
    } else if (/^\d{1,9}$/.test(value)) options[name] = Number(value);
    else throw new InvalidOptionsError(option, `takes a whole number for ${name} in the query of a URL, got a text`);
  }
  return options;
}

function isOneOf<T extends string>(names: readonly T[], name: string): name is T {
  return (names as readonly string[]).includes(name);
}

function unknownName(name: string, option: string): InvalidOptionsError {
  const shown = /^[a-z]{1,40}$/i.test(name) ? `"${name}"` : 'another name';
  const known = [...WHOLE_NUMBERS, ...TEXTS].join(', ');
  const advice =
    name === 'tls' ? 'TLS is chosen by the scheme: rediss://' : 'all else is an option of the options object';
  return new InvalidOptionsError(option, `takes only ${known} in the query of a URL, got ${shown}; ${advice}`);
}
