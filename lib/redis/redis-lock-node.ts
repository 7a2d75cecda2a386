import { refused, untrusted } from '../core/failures.js';
import type { Cancel } from '../core/ports/clock.js';
import type { LockNode, NodeReply, NodeRequest, NodeState, ReleaseListener } from '../core/ports/lock-node.js';
import { ServerError, type Connection } from './connection.js';
import { CounterWarnings } from './counter-warnings.js';
import { executeEach } from './execute-each.js';
import { decodeMarker, encode, type Marker } from './lock-script-codec.js';
import { decode } from './lock-script-reply.js';
import type { ReleaseSubscriber } from './release-subscriber.js';
import type { RestartGuard } from './restart-guard.js';
import { ScriptSender } from './script-sender.js';
import { serverText } from './server-text.js';
import type { ServerWatch } from './server-watch.js';
import { refusalIn, trialRequests, type TrialPlace } from './write-trial.js';

/** What a lock node needs beside its connection. */
export interface NodeOptions {
  readonly guard: RestartGuard;
  readonly watch: ServerWatch;
  readonly subscriber: ReleaseSubscriber;
  /** The key of the marker by which a loss of data is noticed. Without a key, losses are not noticed by a marker. */
  readonly markerKey: string | undefined;
  /** Returns a text that no other call returns: the beginning of a new marker, or the token of a trial. */
  readonly newMarker: () => string;
  readonly trial: TrialPlace;
}

type OnReplies = (replies: readonly NodeReply[]) => void;
type OnError = (cause: unknown) => void;

/** A Redis server as a lock node. A batch of requests is one call of the lock script. */
export class RedisLockNode implements LockNode {
  readonly #sender: ScriptSender;
  #trips = 0;
  #markers = 0;
  #markerStart: string | undefined;
  readonly #warnings = new CounterWarnings();

  constructor(
    private readonly connection: Connection,
    private readonly options: NodeOptions,
  ) {
    this.#sender = new ScriptSender(connection);
    options.watch.tryWrite = () => this.#tryWrite();
    options.watch.onReady((isQuarantined) => {
      this.#readMarker(isQuarantined);
    });
  }

  get name(): string {
    return this.connection.name;
  }

  ensureConnected(): NodeState {
    return this.options.watch.ensureConnected();
  }

  onRequest(request: NodeRequest): void {
    this.options.guard.onRequest(request);
  }

  reasonNotToVote(request: NodeRequest): Error | undefined {
    return this.options.guard.reasonNotToVote(request);
  }

  onChange(listener: () => void): void {
    this.connection.onChange(listener);
    this.options.watch.onChange(listener);
  }

  listen(channel: string, listener: ReleaseListener): Cancel {
    return this.options.subscriber.listen(channel + this.connection.keyspace, listener);
  }

  execute(requests: readonly NodeRequest[], onReplies: OnReplies, onError: OnError): void {
    if (this.connection.clustered) executeEach(this.#attempt, requests, onReplies, onError);
    else this.#attempt(requests, onReplies, onError);
  }

  /** Data on this server that an operator should repair. */
  get warnings(): CounterWarnings['list'] {
    return this.#warnings.list;
  }

  /**
   * The marker is read on every connection, and planted where there is none, before anything is asked of the server: a flush
   * from then on is seen, also by a process that has locked nothing yet. Where that fails the first request does it.
   */
  #readMarker(isQuarantined: boolean): void {
    if (this.options.markerKey === undefined) return;
    const onError = (error: unknown): void => {
      if (error instanceof ServerError) this.#onRefusal(error);
    };
    this.#run([], () => undefined, onError, isQuarantined);
  }

  readonly #attempt: LockNode['execute'] = (requests, onReplies, onError) => {
    const trip = ++this.#trips;
    this.#run(requests, onReplies, (error) => {
      if (!(error instanceof ServerError)) onError(error);
      else if (!error.message.startsWith('NOSCRIPT')) {
        this.#onRefusal(error);
        onReplies(requests.map(() => refused(new Error(serverText(error.message)))));
      } else {
        this.#sender.forget();
        if (trip === this.#trips) this.#attempt(requests, onReplies, onError);
        else this.#runReleases(requests, error, onReplies, onError);
      }
    });
  };

  #run(requests: readonly NodeRequest[], onReplies: OnReplies, onError: OnError, lossIsReported = false): void {
    const marker = this.#nextMarker();
    const onReply = (raw: unknown): void => {
      let replies: readonly NodeReply[];
      try {
        replies = this.#decode(requests, raw, marker, lossIsReported);
      } catch (error) {
        onError(error);
        return;
      }
      onReplies(replies);
    };
    try {
      this.#sender.send((script) => encode(script, requests, marker, this.connection.keyspace), onReply, onError);
    } catch (error) {
      onError(error);
    }
  }

  #decode(
    requests: readonly NodeRequest[],
    raw: unknown,
    marker: Marker | undefined,
    lossIsReported: boolean,
  ): NodeReply[] {
    if (!Array.isArray(raw) || raw.length !== requests.length + 1)
      throw new Error('its reply is not one of the lock script');
    const { guard } = this.options;
    const { marker: value, lostForMs } = decodeMarker(raw[0]);
    const lost = marker !== undefined && guard.onMarker(value, lostForMs);
    if (lost && !lossIsReported) this.options.watch.onLoss();
    return requests.map((request, index) => {
      // The requests that this process had sent before it noticed the loss were carried out.
      const reasonNotToVote = lostForMs === undefined ? undefined : guard.reasonNotToVote(request);
      const reply = reasonNotToVote === undefined ? decode(request, raw[index + 1]) : untrusted(reasonNotToVote);
      if (reply.outcome === 'failed') this.#onRefusal(reply.cause);
      this.#warnings.onReply(request, reply);
      return reply;
    });
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

  /** Resolves with the server's refusal, if it refuses to write. */
  #tryWrite(): Promise<Error | undefined> {
    const requests = trialRequests(this.options.newMarker(), this.options.trial);
    return new Promise((resolve, reject) => {
      const onReplies = ([reply]: readonly NodeReply[]): void => {
        resolve(refusalIn(reply));
      };
      this.#attempt(requests, onReplies, reject);
    });
  }

  /**
   * The server has lost the script, and later requests have been sent already. An acquire that is sent again now could arrive after its
   * own release, so it fails. A release is harmless at any time, so it is sent again.
   */
  #runReleases(requests: readonly NodeRequest[], cause: Error, onReplies: OnReplies, onError: OnError): void {
    const releases = requests.filter(({ kind }) => kind === 'release');
    const withReplies = (replies: readonly NodeReply[]): void => {
      let next = 0;
      onReplies(requests.map(({ kind }) => (kind === 'release' ? replies[next++] : undefined) ?? refused(cause)));
    };
    if (releases.length > 0) this.#attempt(releases, withReplies, onError);
    else withReplies([]);
  }
}
