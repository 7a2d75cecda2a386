import { refused, untrusted } from '../core/failures.js';
import type { Cancel } from '../core/ports/clock.js';
import type { LockNode, NodeReply, NodeRequest, NodeState, ReleaseListener } from '../core/ports/lock-node.js';
import { ServerError, type Connection } from './connection.js';
import { CounterWarnings } from './counter-warnings.js';
import { CounterError, decode, decodeMarker, encode, type Marker } from './lock-script-codec.js';
import type { Receiver } from './receiver.js';
import type { RestartGuard } from './restart-guard.js';
import { LOCK_SCRIPT } from './scripts/lock.script.js';
import { serverText } from './server-text.js';
import type { ServerWatch } from './server-watch.js';

/** What a lock node needs to know beyond its connection. */
export interface NodeOptions {
  readonly guard: RestartGuard;
  readonly watch: ServerWatch;
  readonly receiver: Receiver;
  /** The key of the marker that tells a loss of data. Without one nobody looks. */
  readonly markerKey: string | undefined;
  /** A text that no other call has: what a new marker begins with, and the token of a trial. */
  readonly newMarker: () => string;
  /** Where to try whether the server takes what a lock writes: a key, and a counter where locks have one. */
  readonly trial: { readonly key: string; readonly counter?: string | undefined };
}

/** A trial is given back at once. If that does not arrive, it is gone after this time. */
const TRIAL_MS = 1000;

/** A Redis server as a lock node: a batch of requests is one script call. */
export class RedisLockNode implements LockNode {
  /** The connection on which the script has been sent in full. */
  #loadedEpoch = -1;
  #trips = 0;
  #markers = 0;
  #markerStart: string | undefined;
  readonly #warnings = new CounterWarnings();

  constructor(
    private readonly connection: Connection,
    private readonly options: NodeOptions,
  ) {
    options.watch.tryWriteWith(() => this.#tryWrite());
    options.watch.onFit((isQuarantined) => void this.#lookAtMarker(isQuarantined));
  }

  get name(): string {
    return this.connection.name;
  }

  /** A server that was just connected is looked at before it may vote. */
  reach(): NodeState {
    const state = this.connection.reach();
    return state.status === 'ready' ? this.options.watch.reach() : state;
  }

  objection(request: NodeRequest): Error | undefined {
    return this.options.guard.objection(request);
  }

  onChange(listener: () => void): void {
    this.connection.onChange(listener);
    this.options.watch.onChange(listener);
  }

  listen(channel: string, listener: ReleaseListener): Cancel {
    return this.options.receiver.listen(channel + this.connection.space, listener);
  }

  async execute(requests: readonly NodeRequest[]): Promise<readonly NodeReply[]> {
    for (const request of requests) this.options.guard.onRequest(request);
    if (!this.connection.clustered) return await this.#attempt(requests);
    // On a cluster a script may touch one slot only, so each lock goes by itself.
    return (await Promise.all(requests.map((request) => this.#attempt([request])))).flat();
  }

  /** What of this server's data should be mended by hand. */
  get warnings(): CounterWarnings['list'] {
    return this.#warnings.list;
  }

  /**
   * The marker is read on every connection, and planted where there is none, before anything is asked of the server: a flush
   * from then on is seen, also by a process that has locked nothing yet. Where that fails the first request does it.
   */
  async #lookAtMarker(isQuarantined: boolean): Promise<void> {
    if (this.options.markerKey === undefined) return;
    try {
      await this.#run([], isQuarantined);
    } catch (error) {
      if (error instanceof ServerError) this.#onRefusal(error);
    }
  }

  async #attempt(requests: readonly NodeRequest[]): Promise<readonly NodeReply[]> {
    const trip = ++this.#trips;
    try {
      return await this.#run(requests);
    } catch (error) {
      if (!(error instanceof ServerError)) throw error;
      if (!error.message.startsWith('NOSCRIPT')) {
        this.#onRefusal(error);
        return requests.map(() => refused(new Error(serverText(error.message))));
      }
      this.#loadedEpoch = -1;
      if (trip === this.#trips) return await this.#attempt(requests);
      return await this.#runReleases(requests, error);
    }
  }

  async #run(requests: readonly NodeRequest[], lossIsReported = false): Promise<readonly NodeReply[]> {
    const { guard } = this.options;
    const marker = this.#nextMarker();
    const reply = await this.#call(encode(requests, marker, this.connection.space));
    if (!Array.isArray(reply) || reply.length !== requests.length + 1) {
      throw new Error('its reply is not one of the lock script');
    }
    const [shown, ...replies] = reply as unknown[];
    const { marker: value, lostForMs } = decodeMarker(shown);
    const lost = marker !== undefined && guard.onMarker(value, lostForMs);
    if (lost && !lossIsReported) this.options.watch.onLoss();
    const decoded = requests.map((request, index) => {
      // What left before this process had heard of the loss was carried out.
      const objection = lostForMs === undefined ? undefined : guard.objection(request);
      const reply = objection === undefined ? decode(request, replies[index]) : untrusted(objection);
      if (reply.outcome === 'failed') this.#onRefusal(reply.cause);
      this.#warnings.onReply(request, reply);
      return reply;
    });
    return decoded;
  }

  /** The first call on a connection sends the script itself, all others its hash. */
  async #call(args: readonly (string | number)[]): Promise<unknown> {
    const { epoch } = this.connection;
    const known = this.#loadedEpoch === epoch;
    this.#loadedEpoch = epoch;
    const [command, script] = known ? ['evalsha', LOCK_SCRIPT.sha] : ['eval', LOCK_SCRIPT.source];
    try {
      return await this.connection.call(command, [script, ...args]);
    } catch (error) {
      // A server that has refused the script may not know it, and is to say again why it refuses it.
      if (!known && error instanceof ServerError) this.#loadedEpoch = -1;
      throw error;
    }
  }

  /**
   * The marker as this process knows it, and a new one in case that it is gone. No two calls propose the same: otherwise a second
   * loss could put back the marker of the first, and nobody would see it.
   */
  #nextMarker(): Marker | undefined {
    const { guard, markerKey, newMarker } = this.options;
    if (markerKey === undefined) return undefined;
    this.#markerStart ??= newMarker();
    return {
      key: markerKey,
      expected: guard.marker,
      lost: guard.isMarkerOld,
      proposal: `${this.#markerStart}.${++this.#markers}`,
    };
  }

  #onRefusal(cause: Error): void {
    this.options.watch.onRefused(cause);
  }

  /** Takes and gives back a lock that is nobody's. Resolves with the server's refusal, if it refuses. */
  async #tryWrite(): Promise<Error | undefined> {
    const { newMarker, trial } = this.options;
    const token = newMarker();
    const claims = [{ key: `${trial.key}:${token}`, ttlMs: TRIAL_MS, counter: trial.counter }];
    const requests = (['acquire', 'release'] as const).map((kind) => ({ kind, token, owner: 'trial', claims }));
    const [reply] = await this.#attempt(requests);
    return reply?.outcome === 'failed' && reply.reason === 'refused' && !(reply.cause instanceof CounterError)
      ? reply.cause
      : undefined;
  }

  /**
   * The script was flushed, and later requests have left already. An acquire that is repeated now could overtake its own
   * release, so it is over. A release does no harm at any time.
   */
  async #runReleases(requests: readonly NodeRequest[], cause: Error): Promise<readonly NodeReply[]> {
    const releases = requests.filter(({ kind }) => kind === 'release');
    const replies = releases.length > 0 ? [...(await this.#attempt(releases))] : [];
    return requests.map(({ kind }) => (kind === 'release' ? replies.shift() : undefined) ?? refused(cause));
  }
}
