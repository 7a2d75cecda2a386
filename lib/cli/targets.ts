import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import type { RedisOptions } from 'ioredis';
import { fromUrl } from '../client/options/server-url.js';
import { UsageError } from './arguments.js';

type Env = Readonly<Record<string, string | undefined>>;

const TAKES = "a redis:// or rediss:// URL, or a 'host:port'";

/**
 * The servers of a command: from its arguments, or from REDLOCK_SERVERS. User, password and TLS files of the environment go to each
 * server whose URL has none of its own.
 *
 * @throws UsageError or InvalidOptionsError, neither of which repeats a URL
 */
export function toTargets(urls: readonly string[], env: Env): RedisOptions[] {
  const list = urls.length > 0 ? urls : (env.REDLOCK_SERVERS ?? '').split(/[\s,]+/).filter((url) => url !== '');
  if (list.length === 0) throw new UsageError('no servers: name them as arguments, or in REDLOCK_SERVERS');
  const tls = tlsFrom(env);
  return list.map((url, index) => {
    const options = fromUrl(url, list.length > 1 ? `servers[${index}]` : 'servers', TAKES);
    return { ...credentialsFrom(env, options), ...options, ...(options.tls !== undefined && { tls }) };
  });
}

/** Of a URL with a password neither is replaced. One that has only a user gets the password. */
function credentialsFrom(
  { REDLOCK_USERNAME: username, REDLOCK_PASSWORD: password }: Env,
  url: RedisOptions,
): RedisOptions {
  if (url.password !== undefined) return {};
  return {
    ...(username !== undefined && username !== '' && { username }),
    ...(password !== undefined && password !== '' && { password }),
  };
}

function tlsFrom(env: Env): ConnectionOptions {
  const { REDLOCK_TLS_SERVERNAME: servername, REDLOCK_TLS_PASSPHRASE: passphrase } = env;
  const [ca, cert, key] = ['REDLOCK_TLS_CA', 'REDLOCK_TLS_CERT', 'REDLOCK_TLS_KEY'].map((name) => fileIn(name, env));
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(passphrase !== undefined && passphrase !== '' && { passphrase }),
    ...(servername !== undefined && servername !== '' && { servername }),
  };
}

function fileIn(name: string, env: Env): string | undefined {
  const path = env[name];
  if (path === undefined || path === '') return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    // Not the path: a certificate itself may stand there by mistake.
    throw new UsageError(`${name} names a file that cannot be read: ${String((error as NodeJS.ErrnoException).code)}`);
  }
}
