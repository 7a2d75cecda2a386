/** One command that a client has taken and not answered yet. */
interface OpenCall {
  /** The script of an EVAL, or the hash of an EVALSHA: where the client reads it when it writes the command out. */
  readonly script: Buffer | undefined;
  /** What it is about, on a client that keeps no order among its servers. */
  readonly subject: unknown;
  readonly giveUp: (cause: Error) => void;
}

/** Neither a script (this one does nothing) nor the hash of one (no server has it). */
const BLANK = ' ';

/**
 * The commands of a client that is not ours, and that may send them again at a time of its own: after a reconnect
 * (`autoResendUnfulfilledCommands`, `enableOfflineQueue`), also those that have timed out (`commandTimeout`), or to another
 * node (a `Cluster`). A lock taken that way belongs to nobody, and a server may have been restarted in between (P11, P12).
 *
 * ioredis offers no way to take a command back. But it writes out an argument that is a Buffer when it sends the command,
 * and each time that it does. So the script goes as a Buffer, which is blanked as soon as nobody waits for the answer: what
 * is on its way already is not touched by that, and what is sent later does nothing.
 */
export class OpenCalls {
  readonly #open = new Set<OpenCall>();

  /** Settles with the answer, or when it is given up before. */
  async run(
    send: (args: readonly (string | number | Buffer)[]) => Promise<unknown>,
    command: string,
    [first, ...rest]: readonly (string | number)[],
  ): Promise<unknown> {
    const script = command.startsWith('eval') ? Buffer.from(String(first)) : undefined;
    if (script !== undefined) routeBy(script, rest[1]);
    const call = { script, subject: script && rest[1], giveUp: (_: Error): void => undefined };
    const givenUp = new Promise<never>((_, reject) => {
      call.giveUp = reject;
    });
    this.#open.add(call);
    try {
      const reply = await Promise.race([send(first === undefined ? [] : [script ?? first, ...rest]), givenUp]);
      if (script !== undefined && reply === null) throw new Error('it was given up before it was sent');
      return reply;
    } finally {
      this.#close(call);
    }
  }

  /** Nobody knows what has become of them; but none will be carried out from now on. */
  giveUpAll(cause: Error): void {
    for (const call of this.#open) {
      this.#close(call);
      call.giveUp(cause);
    }
  }

  /** What has not left yet must not leave after what comes now: that may be its undoing. */
  retract(subject: unknown): void {
    for (const call of this.#open) if (call.subject === subject) call.script?.fill(BLANK);
  }

  #close(call: OpenCall): void {
    this.#open.delete(call);
    call.script?.fill(BLANK);
  }
}

/**
 * With `enableAutoPipelining` a Cluster of ioredis below 5.11 chooses the node by the first argument of a command, as text: the
 * script, which is the same for all keys. So as text the script is its first key; what is sent are its bytes.
 */
function routeBy(script: Buffer, key: unknown): void {
  Object.defineProperty(script, 'toString', { value: () => String(key) });
}
