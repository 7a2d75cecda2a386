import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { send } from './servers/admin.js';
import { binaryFromDebian, binaryOnPath } from './servers/binary.js';
import { LAUNCH } from './servers/local.source.js';
import { onFreePort } from './servers/port.js';
import { Reaper } from './servers/reaper.js';
import { until } from './servers/until.js';

export interface SentinelOptions {
  readonly master: { readonly host: string; readonly port: number };
  readonly name: string;
  /** What its own clients must know. */
  readonly password: string;
}

/** A Sentinel that watches one master, and has its replica take over soon after it is gone. */
export interface Sentinel extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** The port of the master that it tells its clients. */
  masterPort(): Promise<number>;
}

const HOST = '127.0.0.1';
const IS_THERE_MS = 10_000;

/** Knows the replica from the start if it is connected to the master by then. */
export async function startSentinel({ master, name, password }: SentinelOptions): Promise<Sentinel> {
  const binary = await binaryOnPath().catch(() => binaryFromDebian());
  const reaper = await Reaper.hire();
  const launch = async (port: number): Promise<number> => {
    const config = join(reaper.root, 'sentinel.conf');
    const lines = [
      `port ${port}`,
      `bind ${HOST}`,
      `dir ${reaper.root}`,
      `requirepass ${password}`,
      `sentinel monitor ${name} ${master.host} ${master.port} 1`,
      `sentinel down-after-milliseconds ${name} 300`,
      `sentinel failover-timeout ${name} 4000`,
    ];
    await writeFile(config, lines.join('\n'));
    const child = spawn('sh', ['-c', LAUNCH, 'sh', binary.path, config, '--sentinel'], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', reaper.input],
      env: process.env,
    });
    let log = '';
    for (const output of [child.stdout, child.stderr]) output?.on('data', (text: Buffer) => (log += text.toString()));
    const ended = once(child, 'close').then(() => {
      throw new Error(`The Sentinel has ended. It said: ${log}`);
    });
    const knows = until('the Sentinel knows master and replica', IS_THERE_MS, () =>
      Promise.resolve(log.includes('+monitor') && log.includes('+slave')),
    );
    await Promise.race([knows, ended]);
    ended.catch(() => undefined);
    return port;
  };
  try {
    const port = await onFreePort(launch);
    const url = `redis://:${encodeURIComponent(password)}@${HOST}:${port}`;
    return {
      host: HOST,
      port,
      masterPort: async () => {
        const [, masterPort] = (await send(url, 'SENTINEL', 'get-master-addr-by-name', name)) as [string, string];
        return Number(masterPort);
      },
      [Symbol.asyncDispose]: () => reaper.close(),
    };
  } catch (error) {
    await reaper.close();
    throw error;
  }
}
