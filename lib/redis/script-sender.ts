import { ServerError, type Connection } from './connection.js';
import { LOCK_SCRIPT } from './scripts/lock.script.js';

/** Sends the lock script: in full with the first call on a connection, and by its hash with all others. */
export class ScriptSender {
  /** The connection on which the script has been sent in full. */
  #loadedEpoch = -1;

  constructor(private readonly connection: Connection) {}

  /** Throws what `argsOf` throws, and has sent nothing then. */
  send(
    argsOf: (script: string) => readonly (string | number)[],
    onReply: (reply: unknown) => void,
    onError: (cause: Error) => void,
  ): void {
    const { epoch } = this.connection;
    // Each master of a Cluster has its own scripts, and may be new.
    const isLoaded = this.#loadedEpoch === epoch && !this.connection.clustered;
    const args = argsOf(isLoaded ? LOCK_SCRIPT.sha : LOCK_SCRIPT.source);
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
