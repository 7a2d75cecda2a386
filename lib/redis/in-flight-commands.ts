import { toError } from '../core/error-text.js';

/** One command that a client has taken and not answered yet. */
interface InFlightCommand {
  /** The script of an EVAL, or the hash of an EVALSHA: the client reads it here each time that it writes the command. */
  readonly script: Buffer | undefined;
  /** The first key. A Cluster does not keep the order of commands for the same key. */
  readonly subject: unknown;
  readonly onError: (cause: unknown) => void;
}

/** As a script it does nothing, and it is the hash of no script. */
const NEUTRAL = ' ';

/**
 * The commands that a client of the application has taken and not answered yet. Such a client may send a command again on its own:
 * after a reconnect (`autoResendUnfulfilledCommands`, `enableOfflineQueue`), also a command that has timed out (`commandTimeout`), or
 * to a different node (a `Cluster`). A lock that is taken so late has no holder, and the server may have restarted in between (P11, P12).
 *
 * ioredis has no way to cancel a command. But it reads a Buffer argument each time that it writes the command. So the script is
 * passed as a Buffer, and overwritten with blanks as soon as the command has failed or is answered. A command that has been
 * written already does not change. A command that is written later does nothing.
 */
export class InFlightCommands {
  readonly #inFlight = new Set<InFlightCommand>();

  /** Calls back once: with the reply, with the error of the client, or with the cause of {@link failAll}, whichever comes first. */
  run(
    send: (args: readonly (string | number | Buffer)[]) => Promise<unknown>,
    [command, first, ...rest]: readonly [string, ...(string | number)[]],
    onReply: (reply: unknown) => void,
    onError: (cause: unknown) => void,
  ): void {
    const script = command.startsWith('eval') ? Buffer.from(String(first)) : undefined;
    if (script !== undefined) routeBy(script, rest[1]);
    const call = { script, subject: script && rest[1], onError };
    this.#inFlight.add(call);
    const sent = sendOrReject(() => send(first === undefined ? [] : [script ?? first, ...rest]));
    sent.then(
      (reply) => {
        if (!this.#close(call)) return;
        if (script !== undefined && reply === null) onError(new Error('it was given up before it was sent'));
        else onReply(reply);
      },
      (cause: unknown) => {
        if (this.#close(call)) onError(cause);
      },
    );
  }

  /** Fails all commands. It is unknown which of them the server has carried out, and from now on it carries out none. */
  failAll(cause: Error): void {
    for (const call of this.#inFlight) {
      this.#close(call);
      call.onError(cause);
    }
  }

  /** A command that waits in the client must not be sent after the next one for the same key, which may be its release. */
  neutralize(subject: unknown): void {
    for (const call of this.#inFlight) if (call.subject === subject) call.script?.fill(NEUTRAL);
  }

  /** Returns whether the command was in flight until now. */
  #close(call: InFlightCommand): boolean {
    call.script?.fill(NEUTRAL);
    return this.#inFlight.delete(call);
  }
}

/**
 * With `enableAutoPipelining`, a Cluster of ioredis below 5.11 chooses the node by the first argument of a command as text. That
 * is the script, which is the same for all keys. So the script returns its first key as text, while its bytes are what is sent.
 */
function routeBy(script: Buffer, key: unknown): void {
  Object.defineProperty(script, 'toString', { value: () => String(key) });
}

/** An error that the client throws counts as one that it rejects with. */
function sendOrReject(send: () => Promise<unknown>): Promise<unknown> {
  try {
    return send();
  } catch (error) {
    return Promise.reject(toError(error));
  }
}
