import { ServerError, type Connection } from './connection.js';
import { LOCK_SCRIPT } from './scripts/lock.script.js';

/** So many keys are remembered of a Cluster. After that it gets the script in full again. */
const MOST_KEYS = 10_000;

/**
 * Sends the lock script: in full with the first call on a connection, and by its hash with all others. A Cluster has a script on each
 * of its masters, so there it is the first call for a key.
 */
export class ScriptSender {
  /** The connection on which the script has been sent in full. */
  #loadedEpoch = -1;
  /** Of a Cluster: the first keys of the calls with which it has been sent in full. */
  readonly #loadedKeys = new Set<unknown>();

  constructor(private readonly connection: Connection) {}

  /** Throws what `argsOf` throws, and has sent nothing then. */
  send(
    argsOf: (script: string) => readonly (string | number)[],
    onReply: (reply: unknown) => void,
    onError: (cause: Error) => void,
  ): void {
    const { epoch, clustered } = this.connection;
    if (this.#loadedEpoch !== epoch) this.#loadedKeys.clear();
    let isLoaded = this.#loadedEpoch === epoch;
    let args = argsOf(isLoaded ? LOCK_SCRIPT.sha : LOCK_SCRIPT.source);
    if (clustered) {
      const [, , key] = args;
      if (isLoaded && !this.#loadedKeys.has(key)) {
        isLoaded = false;
        args = argsOf(LOCK_SCRIPT.source);
      }
      if (this.#loadedKeys.size >= MOST_KEYS) this.#loadedKeys.clear();
      this.#loadedKeys.add(key);
    }
    this.#loadedEpoch = epoch;
    this.connection.send(isLoaded ? 'evalsha' : 'eval', args, onReply, (error) => {
      // A server that has refused the script may not have stored it. It gets the script again, and so repeats why it refuses it.
      if (!isLoaded && error instanceof ServerError) this.forget();
      onError(error);
    });
  }

  /** The server does not know the script: the next call sends it in full. */
  forget(): void {
    this.#loadedEpoch = -1;
  }
}
