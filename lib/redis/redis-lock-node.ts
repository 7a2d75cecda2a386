import type { LockNode, NodeReply, NodeRequest, NodeState } from '../core/ports/lock-node.js';
import { ServerError, type Connection } from './connection.js';
import { decode, encode } from './lock-script-codec.js';
import { LOCK_SCRIPT } from './scripts/lock.script.js';

/** A Redis server as a lock node: a batch of requests is one script call. */
export class RedisLockNode implements LockNode {
  /** The connection on which the script has been sent in full. */
  #loadedEpoch = -1;
  #trips = 0;

  constructor(private readonly connection: Connection) {}

  get name(): string {
    return this.connection.name;
  }

  reach(): NodeState {
    return this.connection.reach();
  }

  onChange(listener: () => void): void {
    this.connection.onChange(listener);
  }

  async execute(requests: readonly NodeRequest[]): Promise<readonly NodeReply[]> {
    const trip = ++this.#trips;
    try {
      return await this.#run(requests);
    } catch (error) {
      if (!(error instanceof ServerError)) throw error;
      if (!error.message.startsWith('NOSCRIPT')) return requests.map(() => refused(error));
      this.#loadedEpoch = -1;
      if (trip === this.#trips) return await this.execute(requests);
      return await this.#runReleases(requests, error);
    }
  }

  /** The first call on a connection sends the script itself, all others its hash. */
  async #run(requests: readonly NodeRequest[]): Promise<readonly NodeReply[]> {
    const { epoch } = this.connection;
    const known = this.#loadedEpoch === epoch;
    this.#loadedEpoch = epoch;
    const [command, script] = known ? ['evalsha', LOCK_SCRIPT.sha] : ['eval', LOCK_SCRIPT.source];
    const replies = (await this.connection.call(command, [script, ...encode(requests)])) as unknown[];
    return requests.map((request, index) => decode(request, replies[index]));
  }

  /**
   * The script was flushed, and later requests have left already. An acquire that is repeated now could overtake its own
   * release, so it is over. A release does no harm at any time.
   */
  async #runReleases(requests: readonly NodeRequest[], cause: Error): Promise<readonly NodeReply[]> {
    const releases = requests.filter(({ kind }) => kind === 'release');
    const replies = releases.length > 0 ? [...(await this.execute(releases))] : [];
    return requests.map(({ kind }) => (kind === 'release' ? replies.shift() : undefined) ?? refused(cause));
  }
}

function refused(cause: Error): NodeReply {
  return { outcome: 'failed', reason: 'refused', cause };
}
