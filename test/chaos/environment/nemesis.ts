import type { PlannedAction, FaultName } from '../plan/faults.js';
import type { Environment } from './environment.js';

/** Each replica must have been up for so long, to be a witness of a loss. */
const WITNESS_MS = 2_500;

/**
 * By then the replicas that are there have noticed a loss: each asks every server once a second. A replica that starts earlier could
 * be the first to see the server again, and hears of no loss then (P12).
 */
const NOTICED_MS = 2_000;

/** Carries out the planned actions, each at its time. What is done to one server or one replica happens one after the other. */
export class Nemesis {
  readonly faults = new Map<FaultName, number>();
  #latest: FaultName | undefined;
  #late: Promise<unknown>[] = [];
  #lostAtMs = -Infinity;
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(
    private readonly environment: Environment,
    /** Whether a loss of data counts on witnesses. */
    private readonly guarded: boolean,
  ) {}

  get latest(): string {
    return this.#latest ?? 'nothing yet';
  }

  async run(actions: readonly PlannedAction[]): Promise<void> {
    for (const action of actions) {
      const delayMs = action.atMs - this.environment.sharedClock.nowMs();
      if (delayMs > 0) await pass(delayMs);
      this.#late.push(this.#inTurn(action));
    }
    await Promise.all(this.#late);
  }

  #inTurn(action: PlannedAction): Promise<void> {
    const who = 'server' in action ? `server ${action.server}` : `replica ${action.replica}`;
    // A stop in good order takes its time, and a pause may come in the middle of it; what follows a stop waits for it.
    const before = action.do === 'pause replica' || action.do === 'resume replica' ? undefined : this.#turns.get(who);
    const done = (before ?? Promise.resolve()).then(async () => {
      if (!(await this.#carryOut(action)) || action.fault === undefined) return;
      this.#latest = action.fault;
      this.faults.set(action.fault, (this.faults.get(action.fault) ?? 0) + 1);
      this.environment.writer.write({ kind: 'note', text: `${action.fault}: ${who}` });
    });
    this.#turns.set(who, done);
    return done;
  }

  /** Returns whether it was done. */
  async #carryOut(action: PlannedAction): Promise<boolean> {
    switch (action.do) {
      case 'kill server':
        return await this.environment.servers.kill(action.server);
      case 'start server':
        return await this.#startServer(action);
      case 'stall server':
        return await this.environment.servers.pause(action.server);
      case 'resume server':
        return await this.environment.servers.resume(action.server);
      case 'flush':
        if (!this.#witnessed()) return false;
        this.#lostAtMs = performance.now();
        return await this.environment.servers.flush(action.server);
      case 'flush scripts':
        return await this.environment.servers.flushScripts(action.server);
      case 'clock rate':
        this.environment.servers.setRate(action.server, action.ppm);
        return true;
      case 'link':
        await this.environment.links.trouble(action.replica, action.server, action.trouble);
        return true;
      case 'mend link':
        await this.environment.links.mend(action.replica, action.server);
        return true;
      case 'kill replica':
        return await this.environment.replicas.kill(action.replica);
      case 'stop replica':
        return await this.environment.replicas.stop(action.replica);
      case 'start replica':
        await this.#lossesNoticed();
        return await this.environment.replicas.start(action.replica);
      case 'pause replica':
        return this.environment.replicas.pause(action.replica);
      case 'resume replica':
        return this.environment.replicas.resume(action.replica);
      case 'replica clock':
        this.environment.replicas.shift(action.replica, action.offsetMs);
        return true;
      default:
        return action satisfies never;
    }
  }

  async #startServer(action: Extract<PlannedAction, { do: 'start server' }>): Promise<boolean> {
    const data = action.data || !this.#witnessed();
    if (!data) this.#lostAtMs = performance.now();
    return await this.environment.servers.start(action.server, { ...action, data });
  }

  async #lossesNoticed(): Promise<void> {
    if (!this.guarded) return;
    const leftMs = (): number => this.#lostAtMs + NOTICED_MS - performance.now();
    while (leftMs() > 0) await pass(leftMs());
  }

  /** A machine that is slow to start a replica must not make its loss an unwitnessed one. */
  #witnessed(): boolean {
    return !this.guarded || this.environment.replicas.allUpFor(WITNESS_MS);
  }
}

function pass(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
