import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { send } from './admin.js';
import type { Binary } from './binary.js';
import { onFreePort } from './port.js';
import { untilStopped } from './process-state.js';
import { Reaper } from './reaper.js';
import { type Machine, PERSISTENCE, type Source, type SourceOptions } from './source.js';

/** Announces itself to the reaper and only then becomes the server: no instant at which nobody knows of it. */
export const LAUNCH = 'echo "born $$" >&3; exec "$@" 3>&-';
const START_TIMEOUT_MS = 10_000;

/** Servers as processes of this machine. */
export async function localSource(binary: Binary, options: SourceOptions): Promise<Source> {
  const reaper = await Reaper.hire();
  return {
    origin: binary.origin,
    create: async (name) => {
      const folder = join(reaper.root, name);
      await mkdir(folder);
      return new LocalMachine(binary.path, options.args, () => options.env?.(name) ?? {}, folder, reaper);
    },
    close: () => reaper.close(),
  };
}

class LocalMachine implements Machine {
  readonly host = '127.0.0.1';
  port = 0;
  onDeath: () => void = () => undefined;
  private child: ChildProcess | undefined;

  constructor(
    private readonly binary: string,
    private readonly args: readonly string[],
    private readonly env: () => Readonly<Record<string, string>>,
    private readonly folder: string,
    private readonly reaper: Reaper,
  ) {}

  get alive(): boolean {
    return this.child !== undefined;
  }

  async start(): Promise<void> {
    if (this.port === 0) this.port = await onFreePort((port) => this.launch(port).then(() => port));
    else await this.launch(this.port);
    await this.ping();
  }

  async kill(): Promise<void> {
    const child = this.child;
    if (child === undefined) return;
    const gone = once(child, 'close');
    child.kill('SIGKILL');
    await gone;
  }

  async freeze(): Promise<void> {
    const pid = this.child?.pid;
    if (pid === undefined) return;
    process.kill(pid, 'SIGSTOP');
    await untilStopped(pid);
  }

  async thaw(): Promise<void> {
    this.child?.kill('SIGCONT');
    await this.ping();
  }

  async wipe(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
    await mkdir(this.folder);
  }

  private async ping(): Promise<void> {
    await send(`redis://${this.host}:${this.port}`, 'PING');
  }

  private launch(port: number): Promise<void> {
    // What the fleet itself relies on comes last and wins.
    const own = [
      '--port',
      String(port),
      '--bind',
      this.host,
      '--dir',
      this.folder,
      '--logfile',
      '',
      '--daemonize',
      'no',
    ];
    const command = [this.binary, ...PERSISTENCE, ...this.args, ...own, '--loglevel', 'notice'];
    const child = spawn('sh', ['-c', LAUNCH, 'sh', ...command], {
      cwd: this.folder,
      detached: true, // A Ctrl-C at the terminal must not reach it before our own clean-up.
      stdio: ['ignore', 'pipe', 'pipe', this.reaper.input],
      env: { ...process.env, ...this.env() },
    });
    this.child = child;
    child.once('close', () => {
      this.child = undefined;
      if (child.pid !== undefined) this.reaper.tell('died', child.pid);
      this.onDeath();
    });
    return ready(child, this.binary);
  }
}

/** Resolves with the server's own word that it is ready, which it gives after it has loaded its data. */
function ready(child: ChildProcess, binary: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = '';
    const fail = (reason: string): void => {
      clearTimeout(timer);
      reject(new Error(`${binary} ${reason}. It said: ${log.trim() || 'nothing'}`));
    };
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      fail(`was not ready within ${START_TIMEOUT_MS} ms`);
    }, START_TIMEOUT_MS);
    const listen = (text: Buffer): void => {
      log = (log + text.toString()).slice(-4_000);
      if (!log.includes('Ready to accept connections')) return;
      clearTimeout(timer);
      resolve();
    };
    child.stdout?.on('data', listen);
    child.stderr?.on('data', listen);
    child.once('error', (error) => {
      fail(`could not be started: ${error.message}`);
    });
    child.once('close', (code, signal) => {
      fail(`ended with ${signal ?? `code ${String(code)}`}`);
    });
  });
}
