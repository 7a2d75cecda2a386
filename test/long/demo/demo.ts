import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { compile, type Compiled } from '../../support/compiled.js';

/** What the demo says of a tick with `--json`. */
export interface Tick {
  tick: string;
  ranBy: string[];
  skippedBy: string[];
  failed: unknown[];
  voting: number;
  servers: number;
}

/** The demo and what it needs, as plain JavaScript. */
export async function compileDemo(): Promise<Compiled> {
  const compiled = await compile('lib', 'demo', 'test/support');
  // So that the package's own name, in there, means what was compiled with it.
  await writeFile(join(compiled.folder, 'package.json'), '{ "type": "module" }');
  await writeFile(
    join(compiled.folder, 'lib/package.json'),
    '{ "name": "redlock-nestjs", "type": "module", "exports": { ".": "./index.js", "./dashboard": "./dashboard/index.js" } }',
  );
  await mkdir(join(compiled.folder, 'node_modules'));
  await symlink('../lib', join(compiled.folder, 'node_modules/redlock-nestjs'));
  return compiled;
}

/** The demo as `npm start` runs it, in a process group of its own, as a terminal starts it. */
export class Demo {
  readonly child: ChildProcess;
  readonly exit: Promise<number | NodeJS.Signals | null>;
  stdout = '';
  stderr = '';

  constructor({ folder }: Compiled, ...args: string[]) {
    this.child = spawn(process.execPath, [join(folder, 'demo/main.js'), ...args], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout?.on('data', (text: Buffer) => (this.stdout += text.toString()));
    this.child.stderr?.on('data', (text: Buffer) => (this.stderr += text.toString()));
    this.exit = once(this.child, 'close').then(
      ([code, signal]) => (code as number | null) ?? (signal as NodeJS.Signals | null),
    );
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** What it said on stderr, without that of `cron` when a busy machine makes a timer late. */
  get trouble(): string {
    return this.stderr.replace(/^.*\[Cron\] Missed execution deadline.*\n/gm, '');
  }

  get ticks(): Tick[] {
    return this.stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Tick);
  }

  /** Until it has told of a tick: from then on everything runs. */
  async running(): Promise<this> {
    while (!this.stdout.includes('\n') && this.child.exitCode === null) await sleep(20);
    return this;
  }
}
