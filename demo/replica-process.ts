import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Message, Command } from './messages.js';

const ENTRY = fileURLToPath(new URL('./replica/main.js', import.meta.url));
const STOP_TIMEOUT_MS = 5_000;

/** A replica as the coordinator sees it. */
export class ReplicaProcess {
  /** How far its clock is from the right time. */
  offsetMs = 0;
  /** When it could fire its first tick. */
  readyAtMs = Infinity;
  /** Resolves when its jobs are scheduled; rejects when it ends before that. */
  readonly ready: Promise<void>;

  private readonly child: ChildProcess;
  private readonly gone: Promise<unknown>;
  private ending = false;

  constructor(
    readonly name: string,
    urls: readonly string[],
    listener: { onMessage(message: Message): void; onComplaint(line: string): void; onCrash(how: string): void },
  ) {
    // In a process group of its own: a Ctrl-C at the terminal is for the coordinator, which stops its replicas in order.
    const child = fork(ENTRY, {
      env: { ...process.env, REDIS_URLS: urls.join(',') },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.child = child;
    this.gone = once(child, 'close').catch(() => undefined);
    for (const output of [child.stdout, child.stderr]) {
      if (output === null) continue;
      createInterface(output).on('line', (line) => {
        listener.onComplaint(line);
      });
    }
    this.ready = new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('message', (message: Message) => {
        if (message.kind === 'ready') {
          this.readyAtMs = Date.now();
          resolve();
        }
        listener.onMessage(message);
      });
      child.once('exit', (code, signal) => {
        const how = `${name} ended by itself with ${signal ?? `code ${String(code)}`}`;
        reject(new Error(how));
        if (!this.ending && this.readyAtMs < Infinity) listener.onCrash(how);
      });
    });
    this.ready.catch(() => undefined);
  }

  /** Up, and meant to stay so. */
  get alive(): boolean {
    return !this.ending && this.child.exitCode === null && this.child.signalCode === null;
  }

  shiftClock(offsetMs: number): void {
    this.offsetMs = offsetMs;
    this.send({ kind: 'shift', offsetMs });
  }

  /** As a machine that loses its power. */
  kill(): void {
    this.ending = true;
    this.child.kill('SIGKILL');
  }

  /** As a deployment does: the application is closed, and its work in flight is awaited. */
  async stop(): Promise<void> {
    this.ending = true;
    this.send({ kind: 'stop' });
    const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await this.gone;
    clearTimeout(timer);
  }

  private send(command: Command): void {
    if (this.child.connected) this.child.send(command, () => undefined);
  }
}
