#!/usr/bin/env node
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import type { Io } from './io.js';
import { run } from './run.js';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const io: Io = {
  env: process.env,
  isTerminal: process.stdout.isTTY,
  canAsk: process.stdin.isTTY && process.stderr.isTTY,
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  // On the standard error, so that the output stays what another program may read.
  async ask(question) {
    const terminal = createInterface({ input: process.stdin, output: process.stderr });
    try {
      // Ctrl-C and Ctrl-D are no answer. Some versions of Node reject then, others leave the question open.
      const closed = once(terminal, 'close').then(() => '');
      return await Promise.race([terminal.question(question), closed]);
    } catch {
      return '';
    } finally {
      terminal.close();
    }
  },
};

// No process.exit(): what is written to a pipe would be cut.
const argv = process.argv.slice(2);
// A reader may have read enough, as `head` does: the rest of the output is of no use to it, and that is no fault.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}
process.exitCode = await run(argv, io, version);

// An application that does not start, or does not close, leaves its connections open, and nothing can close those.
if (argv.includes('run')) setTimeout(() => process.exit(), 1000).unref();
