import { Command, type Redis } from 'ioredis';
import { isReplyError } from './connection.js';
import { commandText } from './direct-commands.js';

/** The commands that a client of ours sends for this package. */
export class ClientCommands {
  #hasAnswered = false;
  #unanswered = 0;

  constructor(private readonly client: Redis) {}

  /**
   * Whether the client waits for no reply any more. Its own commands, such as AUTH, it sends before it is ready, or in the same moment. So once the
   * server has answered one of these that was sent after that, all of its own are answered. What is asked for before it is ready it refuses.
   */
  get isIdle(): boolean {
    return this.#hasAnswered && this.#unanswered === 0;
  }

  send(
    name: string,
    args: readonly (string | number)[],
    onReply: (reply: unknown) => void,
    onError: (cause: Error) => void,
  ): void {
    const command = this.#commandOf(name, args);
    const isReady = this.client.status === 'ready';
    this.#unanswered++;
    answerAtOnce(
      command,
      (reply) => {
        this.#unanswered--;
        this.#hasAnswered ||= isReady;
        onReply(reply);
      },
      (cause) => {
        this.#unanswered--;
        this.#hasAnswered ||= isReady && isReplyError(cause);
        onError(cause);
      },
    );
    void this.client.sendCommand(command);
  }

  /** What it would write. */
  textOf(name: string, args: readonly (string | number)[]): string | Buffer {
    return this.client.options.keyPrefix ? this.#commandOf(name, args).toWritable(this) : commandText(name, args);
  }

  #commandOf(name: string, args: readonly (string | number)[]): Command {
    const { keyPrefix } = this.client.options;
    return new Command(name, args as (string | number)[], { replyEncoding: 'utf8', keyPrefix });
  }
}

/**
 * Calls back as soon as ioredis has read the reply, without waiting for a promise. The command's own promise is settled too, because a
 * tracer may wait for it.
 */
function answerAtOnce(command: Command, onReply: (reply: unknown) => void, onError: (cause: Error) => void): void {
  const { resolve, reject } = command;
  command.resolve = (raw: Buffer) => {
    const reply = command.transformReply(raw);
    resolve(null);
    onReply(reply);
  };
  command.reject = (cause) => {
    command.promise.catch(() => undefined);
    reject(cause);
    onError(cause);
  };
}
