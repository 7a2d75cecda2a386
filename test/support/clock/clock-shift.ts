import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../servers/package-root.js';
import { run } from '../servers/run.js';

const SOURCE = fileURLToPath(new URL('clock-shift.c', import.meta.url));

/** A library that, preloaded, gives a process a wall clock of its own, or why there is none. */
export type ShiftLibrary = { readonly path: string } | { readonly missing: string };

/** Compiled once for each change of its source. It needs Linux and a C compiler. */
export async function shiftLibrary(): Promise<ShiftLibrary> {
  if (process.platform !== 'linux') return { missing: `it takes Linux, not ${process.platform}` };
  const hash = createHash('sha256').update(readFileSync(SOURCE)).digest('hex').slice(0, 16);
  const folder = join(packageRoot(), '.cache', 'clock-shift');
  const path = join(folder, `${hash}-${process.arch}.so`);
  if (existsSync(path)) return { path };
  await mkdir(folder, { recursive: true });
  const draft = `${path}.${process.pid}`;
  try {
    await run('cc', ['-shared', '-fPIC', '-O2', '-o', draft, SOURCE], 30_000);
  } catch (error) {
    return { missing: `there is no C compiler that works (${error instanceof Error ? error.message : String(error)})` };
  }
  // Renamed into place, so that nobody preloads half a file.
  await rename(draft, path);
  return { path };
}

/** The wall clock of one process, which may be set wrong while it runs. Its monotonic clock is never touched. */
export class WallClock {
  readonly #file: number;
  #offsetMs = 0;

  constructor(
    private readonly library: ShiftLibrary,
    private readonly path: string,
  ) {
    this.#file = openSync(path, 'w');
    this.set(0);
  }

  /** What a process needs in its environment, to go by this clock. */
  get env(): Readonly<Record<string, string>> {
    return 'path' in this.library ? { LD_PRELOAD: this.library.path, CLOCK_SHIFT_FILE: this.path } : {};
  }

  get offsetMs(): number {
    return this.#offsetMs;
  }

  set(offsetMs: number): void {
    this.#offsetMs = offsetMs;
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(Math.round(offsetMs * 1e6)));
    writeSync(this.#file, bytes, 0, 8, 0);
  }

  close(): void {
    closeSync(this.#file);
  }
}
