import type { Socket } from 'node:net';
import type { ReplyReader } from './reply-reader.js';
import { MalformedReplyError } from './resp-line.js';

/** Also said where the client notices it. */
export const UNASKED = 'it has sent a reply to nothing that it was asked';

interface Sent {
  readonly onReply: (reply: unknown) => void;
  readonly onError: (cause: unknown) => void;
}

/**
 * The commands that this package writes to the socket of its client by itself, and their replies. The client connects, and it would make several
 * objects, promises and buffers of each command: a third of the CPU of one lock alone.
 */
export class DirectCommands {
  readonly #sent: Sent[] = [];

  constructor(
    private readonly socket: Socket,
    reader: ReplyReader,
  ) {
    reader.takeReplies((reply) => {
      const sent = this.#sent.shift();
      if (sent === undefined) throw new MalformedReplyError(UNASKED);
      if (reply instanceof Error) sent.onError(reply);
      else sent.onReply(reply);
    });
  }

  /** Exactly one of the callbacks is called, after this has returned. While the connection is ending, that is at its end. */
  send(text: string | Buffer, onReply: Sent['onReply'], onError: Sent['onError']): void {
    this.#sent.push({ onReply, onError });
    if (this.socket.writable) this.socket.write(text);
  }

  /** The connection has ended. */
  failAll(cause: Error): void {
    for (const { onError } of this.#sent.splice(0)) onError(cause);
  }
}

/** A command in RESP2: a list of texts. */
export function commandText(name: string, args: readonly (string | number)[]): string {
  let text = `*${args.length + 1}\r\n${bulk(name)}`;
  for (const arg of args) text += bulk(String(arg));
  return text;
}

function bulk(text: string): string {
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
}
