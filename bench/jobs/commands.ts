import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

/** Counts the commands in what a client writes: arrays of bulk strings, also when they are cut anywhere. */
export class CommandCounter {
  count = 0;
  #rest = Buffer.alloc(0);
  /** Arguments of the command under way that are still to come. */
  #arguments = 0;
  /** Bytes of the argument under way that are still to come, with its end of line. */
  #bytes = 0;

  add(chunk: string | Uint8Array): void {
    const text = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    let data = this.#rest.length === 0 ? Buffer.from(text) : Buffer.concat([this.#rest, text]);
    for (;;) {
      const skipped = Math.min(this.#bytes, data.length);
      this.#bytes -= skipped;
      data = data.subarray(skipped);
      const end = data.indexOf('\r\n');
      if (this.#bytes > 0 || end === -1) break;
      this.#header(data.toString('latin1', 0, 1), Number(data.toString('latin1', 1, end)));
      data = data.subarray(end + 2);
    }
    this.#rest = data;
  }

  #header(kind: string, length: number): void {
    if (kind === '*') {
      this.count++;
      this.#arguments = length;
    } else if (kind === '$' && this.#arguments > 0) {
      this.#arguments--;
      this.#bytes = length + 2;
    } else throw new Error(`A client wrote ${JSON.stringify(kind)}, where a command or its argument begins.`);
  }
}

let isCounting = false;
const counters = new Map<Socket, CommandCounter>();

/** Counts from now on. To be called between commands. Returns the function that ends it and gives the number. */
export function countCommands(): () => number {
  counters.clear();
  isCounting = true;
  return () => {
    isCounting = false;
    return [...counters.values()].reduce((sum, { count }) => sum + count, 0);
  };
}

/** To be called before the first connection is made. It sees every socket, whatever client it belongs to. */
export function watchSockets(): void {
  subscribe('net.client.socket', (message) => {
    const { socket } = message as { socket: Socket };
    // Not earlier: to connect, Node puts its own function in the place of `write`.
    socket.prependOnceListener('connect', () => {
      watch(socket);
    });
  });
}

function watch(socket: Socket): void {
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
  socket.write = (...args: unknown[]): boolean => {
    if (isCounting) counterOf(socket).add(args[0] as string | Uint8Array);
    return write(...args);
  };
}

function counterOf(socket: Socket): CommandCounter {
  const counter = counters.get(socket) ?? new CommandCounter();
  counters.set(socket, counter);
  return counter;
}
