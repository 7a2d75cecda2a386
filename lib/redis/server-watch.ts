import type { Clock } from '../core/ports/clock.js';
import type { NodeState } from '../core/ports/lock-node.js';
import { AskAgain } from './ask-again.js';
import { CONNECTING, READY, type Connection } from './connection.js';
import { duplicateOf, forget, type Identities } from './identities.js';
import { oneAtATime } from './one-at-a-time.js';
import type { RestartGuard } from './restart-guard.js';
import type { Member, ServerGroup } from './server-group.js';
import type { ServerInfo } from './server-info.js';
import { isOfReplica, mayRefuseAll } from './server-faults.js';
import { checkServer, type CheckedServer } from './server-check.js';
import { inspectServer, type Inspection, type Verdict } from './server-inspection.js';
import type { Facts, ServerStatus, ServerWarning } from './server-status.js';
import { ReportedState } from './reported-state.js';

export interface WatchOptions {
  readonly guard: RestartGuard;
  readonly identities: Identities;
  readonly group: ServerGroup;
  readonly clock: Clock;
}

/**
 * Knows the state of one server. On every new connection it inspects the server, before it may vote (P13): which database it
 * serves, which server it is, whether it was restarted, and what about it endangers locks.
 *
 * After a refused request it tries a write of its own, whose outcome is the state: a server that is full is `refusing` until a write
 * succeeds. It repeats the write automatically, so that the server votes again even while no caller wants a lock.
 */
export class ServerWatch implements Member {
  #epoch = -1;
  #connection: NodeState | undefined;
  #verdict: Verdict | undefined;
  #silence: string | undefined;
  #refusal: Error | undefined;
  /** Of the last inspection. */
  info: ServerInfo | undefined;
  #warnings: readonly ServerWarning[] = [];
  readonly #reported: ReportedState;
  readonly #askAgain: AskAgain;
  readonly #write = oneAtATime(() => this.#tryToWrite(this.#epoch));
  readonly #inspectAgain = oneAtATime(() => this.#inspect(this.#epoch));
  readonly #checked: CheckedServer = {
    state: () => this.ensureConnected(),
    isConnectingAgain: () =>
      this.status.state !== 'connecting' &&
      this.#connection?.status !== 'down' &&
      this.connection.ensureConnected().status === 'connecting',
    ask: () => Promise.all([this.#inspectAgain(), this.#write()]),
  };
  /** How to try a write. It resolves with the server's refusal, or undefined, and rejects if the outcome is unknown. */
  tryWrite: () => Promise<Error | undefined> = () => Promise.resolve(undefined);
  readonly #warned = new Set<string>();
  readonly #listeners: (() => void)[] = [];
  readonly #onReady: ((isQuarantined: boolean) => void)[] = [];

  constructor(
    private readonly connection: Connection,
    private readonly options: WatchOptions,
  ) {
    const { guard, group, clock } = options;
    const facts = (): Facts => ({
      ...{ connection: this.#connection, verdict: this.#verdict },
      ...{ silence: this.#silence, refusal: this.#refusal, guard },
    });
    this.#reported = new ReportedState(clock, facts, (change) => {
      group.onChange(this, change);
    });
    guard.onLonger = this.onLoss.bind(this);
    this.#askAgain = new AskAgain(clock, () => {
      if (this.#verdict?.state !== 'ready') void this.#inspect(this.#epoch);
      else void this.#write();
    });
    group.join(this);
    connection.onChange((state) => {
      this.#onConnection(state);
    });
    connection.onSilence((forMs) => {
      this.#onSilence(forMs === undefined ? undefined : `no answer for ${forMs} ms`);
    });
  }

  get name(): string {
    return this.connection.name;
  }

  get warnings(): readonly ServerWarning[] {
    return this.#warnings;
  }

  get status(): ServerStatus {
    return this.#reported.status;
  }

  /** A server is inspected on each new connection before it may vote. */
  ensureConnected(): NodeState {
    const state = this.connection.ensureConnected();
    // A client that had ended before it was given does not say so.
    if (state.status === 'down' && this.#connection === undefined) this.#onConnection(state);
    return state.status === 'ready' ? this.#ensureInspected() : state;
  }

  #ensureInspected(): NodeState {
    if (this.#epoch !== this.connection.epoch) {
      this.#epoch = this.connection.epoch;
      this.#verdict = undefined;
      void this.#inspect(this.#epoch);
    } else this.#askAgain.hurry();
    const verdict = this.#verdict;
    if (verdict === undefined) return CONNECTING;
    return verdict.state === 'ready' ? READY : { status: 'down', cause: verdict.cause };
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Called when an inspected server may take part, before it gets a request, and with whether it is quarantined. */
  onReady(listener: (isQuarantined: boolean) => void): void {
    this.#onReady.push(listener);
  }

  /** The marker has shown that the server has lost its data, or it does not vote for longer because of that. */
  onLoss(): void {
    this.#reported.update();
  }

  /** The server has refused a request. */
  onRefused({ message }: Error): void {
    if (this.#verdict?.state !== 'ready' || !mayRefuseAll(message)) return;
    if (isOfReplica(message)) void this.#inspectAgain();
    if (this.#refusal === undefined) void this.#write();
  }

  /**
   * Inspects the server again and tries a write: in how many milliseconds, undefined where it is not connected or does not answer in time.
   * Never rejects. A server may become a replica, and a master again, on a connection that stays.
   */
  async check(timeoutMs: number): Promise<number | undefined> {
    const found = await checkServer(this.#checked, this.options.clock, timeoutMs);
    if (found.down !== undefined) this.#onConnection({ status: 'down', cause: found.down });
    if (found.silence !== undefined) this.#onSilence(found.silence);
    return found.latencyMs;
  }

  #onConnection(state: NodeState): void {
    if (state.status === 'connecting') return; // Only the outcome of a try is reported.
    this.#connection = state;
    if (state.status === 'down') forget(this.options.identities, this);
    this.#silence = undefined;
    this.#refusal = undefined;
    this.#verdict = undefined;
    this.#askAgain.reset();
    this.#reported.update();
  }

  #onSilence(silence: string | undefined): void {
    if (this.#silence !== undefined && silence !== undefined) return;
    this.#silence = silence;
    this.#reported.update();
  }

  async #inspect(epoch: number): Promise<void> {
    const inspection = await inspectServer(this.connection, ({ runId }) =>
      duplicateOf(this.options.identities, this, runId),
    );
    if (epoch !== this.connection.epoch) return;
    this.#conclude(inspection);
    for (const listener of this.#listeners) listener();
  }

  #conclude({ info, verdict, warnings }: Inspection): void {
    this.info = info;
    this.#silence = undefined;
    this.#warnings = [...warnings, ...this.connection.warnings];
    // The guard compares with what it has seen before, so it needs each inspection, also that of a server that does not vote now.
    const isQuarantined = info !== undefined && this.options.guard.onInspected(info);
    this.#verdict = verdict;
    if (verdict.state === 'ready' && this.#refusal === undefined) this.#askAgain.reset();
    else this.#askAgain.plan();
    this.#reported.update();
    for (const warning of this.#warnings) {
      if (!this.#warned.has(warning.code)) this.options.group.onWarning(this, warning);
      this.#warned.add(warning.code);
    }
    if (verdict.state === 'ready' && info !== undefined) for (const listener of this.#onReady) listener(isQuarantined);
  }

  async #tryToWrite(epoch: number): Promise<void> {
    const refusal = await this.tryWrite().catch(() => this.#refusal); // The connection reports its own end.
    if (epoch !== this.connection.epoch) return;
    this.#silence = undefined;
    this.#refusal = refusal;
    if (refusal !== undefined && isOfReplica(refusal.message)) void this.#inspectAgain();
    if (refusal === undefined) this.#askAgain.reset();
    else this.#askAgain.plan();
    this.#reported.update();
  }
}
