import type { NodeState } from '../core/ports/lock-node.js';
import { CLOSED, ServerError, type Connection } from './connection.js';
import type { RestartGuard } from './restart-guard.js';
import { CLUSTER_DANGER, dangersOf, notesOn, parseInfo, type ServerInfo } from './server-info.js';

/** Who watches which server of a quorum group, by run id: the same server under two names has one vote. */
export type Identities = Map<string, ServerWatch>;

/** A replica may become a master, and a server that did not answer may do so, without a new connection. */
const LOOK_AGAIN_MS = 500;

/**
 * Looks at a server on every new connection, before it may vote (P13): who it is, whether it was restarted, and what about
 * it endangers locks. Each finding is reported once, and kept for those who ask.
 */
export class ServerWatch {
  #epoch = -1;
  #state: NodeState = { status: 'connecting' };
  #info: ServerInfo | undefined;
  #findings: readonly string[] = [];
  #away = false;
  #lookAgainAtMs = Infinity;
  readonly #reported = new Set<string>();
  readonly #listeners: (() => void)[] = [];
  readonly #onFit: ((isQuarantined: boolean) => void)[] = [];

  constructor(
    private readonly connection: Connection,
    private readonly guard: RestartGuard,
    private readonly identities: Identities,
    private readonly report: (finding: string, level: 'warn' | 'log') => void,
  ) {
    connection.onChange((state) => {
      this.#onConnection(state);
    });
  }

  get info(): ServerInfo | undefined {
    return this.#info;
  }

  get findings(): readonly string[] {
    return this.#findings;
  }

  /** For a connection that is ready: whether its server was looked at, and may take part. */
  reach(): NodeState {
    if (this.#epoch !== this.connection.epoch) {
      this.#epoch = this.connection.epoch;
      // A Cluster is many servers: what one of them says of itself tells nothing of the others.
      this.#state = { status: this.connection.clustered ? 'ready' : 'connecting' };
      if (this.connection.clustered) this.#conclude([CLUSTER_DANGER]);
      else void this.#look(this.#epoch);
    } else if (performance.now() >= this.#lookAgainAtMs) {
      void this.#look(this.#epoch);
    }
    return this.#state;
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /**
   * Told when a server that was looked at may take part, before anything is asked of it; and whether it is kept out for now,
   * because it may have forgotten locks.
   */
  onFit(listener: (isQuarantined: boolean) => void): void {
    this.#onFit.push(listener);
  }

  /** The server has been seen to have lost its data. */
  onLoss(): void {
    this.report('has lost its data: it is quarantined', 'warn');
  }

  /** The server has refused to write, so it is not what it was when it was looked at. */
  onReadOnly(): void {
    if (this.#state.status === 'ready') void this.#look(this.#epoch);
  }

  /** One line when the server goes away, with the reason, and one when it is back. */
  #onConnection(state: NodeState): void {
    if (state.status === 'down' && state.cause !== CLOSED && !this.#away) {
      this.#away = true;
      this.report(`cannot be reached: ${state.cause.message}`, 'warn');
    } else if (state.status === 'ready' && this.#away) {
      this.#away = false;
      this.report('is connected again', 'log');
    }
  }

  async #look(epoch: number): Promise<void> {
    this.#lookAgainAtMs = Infinity;
    const info = await this.connection.call('info', []).then(
      (text) => parseInfo(String(text)),
      (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
    );
    if (epoch !== this.#epoch) return;
    this.#info = info instanceof Error ? undefined : info;
    this.#state = info instanceof Error ? this.#onUnseen(info) : this.#judge(info);
    if (this.#state.status === 'down') this.#lookAgainAtMs = performance.now() + LOOK_AGAIN_MS;
    for (const listener of this.#listeners) listener();
  }

  /** A server that may not be looked at votes all the same. One that has not answered has to be looked at before. */
  #onUnseen(cause: Error): NodeState {
    if (!(cause instanceof ServerError)) return { status: 'down', cause };
    this.#conclude([`cannot be looked at, so that its restarts may go unnoticed: ${cause.message}`]);
    return { status: 'ready' };
  }

  #judge(info: ServerInfo): NodeState {
    const { name } = this.connection;
    const isQuarantined = this.guard.onConnected(info);
    if (isQuarantined) {
      const what = info.promoted ? 'was a replica until lately' : 'was restarted';
      this.report(`${what}, and may have forgotten locks: it is quarantined`, 'warn');
    }
    const twin = this.#twinOf(info);
    const problem =
      twin !== undefined
        ? `is the same server as ${twin}, listed twice: it has one vote`
        : info.replica
          ? 'is a replica: it does not vote'
          : undefined;
    const dangers = [...(problem ? [problem] : []), ...dangersOf(info)];
    this.#conclude(dangers, notesOn(info));
    if (problem !== undefined) return { status: 'down', cause: new Error(`${name} ${problem}`) };
    for (const listener of this.#onFit) listener(isQuarantined);
    return { status: 'ready' };
  }

  #conclude(dangers: readonly string[], notes: readonly string[] = []): void {
    const all = [...dangers, ...this.connection.caveats];
    this.#findings = [...all, ...notes];
    for (const danger of all) this.#say(danger);
    for (const note of notes) this.#say(note, 'log');
  }

  #twinOf({ runId }: ServerInfo): string | undefined {
    for (const [id, owner] of this.identities) if (owner === this) this.identities.delete(id);
    if (runId === undefined) return undefined;
    const twin = this.identities.get(runId);
    if (twin === undefined) this.identities.set(runId, this);
    return twin?.connection.name;
  }

  /** What is so, and not what happens, is said once. */
  #say(finding: string, level: 'warn' | 'log' = 'warn'): void {
    if (this.#reported.has(finding)) return;
    this.#reported.add(finding);
    this.report(finding, level);
  }
}
