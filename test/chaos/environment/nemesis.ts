import type { Act, FaultName } from '../plan/faults.js';
import type { Stage } from './environment.js';

/** Each replica must have been up for so long, to be a witness of a loss. */
const WITNESS_MS = 2_500;

/** For so long after a loss no replica is killed, because it would come up as one that has not witnessed the loss (P12). */
const LOSS_MATTERS_MS = 8_000;

/** Carries out acts, each at its time. What is done to one server or one replica happens one after the other. */
export class Director {
  readonly faults = new Map<FaultName, number>();
  #latest: FaultName | undefined;
  #late: Promise<unknown>[] = [];
  #lostAtMs = -Infinity;
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(
    private readonly stage: Stage,
    /** Whether a loss of data counts on witnesses. */
    private readonly guarded: boolean,
  ) {}

  get latest(): string {
    return this.#latest ?? 'nothing yet';
  }

  async run(acts: readonly Act[]): Promise<void> {
    for (const act of acts) {
      const delayMs = act.atMs - this.stage.axis.nowMs();
      if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
      this.#late.push(this.#inTurn(act));
    }
    await Promise.all(this.#late);
  }

  #inTurn(act: Act): Promise<void> {
    const who = 'server' in act ? `server ${act.server}` : `replica ${act.replica}`;
    // A stop in good order takes its time, and a pause may come in the middle of it; what follows a stop waits for it.
    const before = act.do === 'pause replica' || act.do === 'resume replica' ? undefined : this.#turns.get(who);
    const done = (before ?? Promise.resolve()).then(async () => {
      if (!(await this.#carryOut(act)) || act.fault === undefined) return;
      this.#latest = act.fault;
      this.faults.set(act.fault, (this.faults.get(act.fault) ?? 0) + 1);
      this.stage.diary.write({ kind: 'note', text: `${act.fault}: ${who}` });
    });
    this.#turns.set(who, done);
    return done;
  }

  /** Returns whether it was done. */
  async #carryOut(act: Act): Promise<boolean> {
    switch (act.do) {
      case 'kill server':
        return await this.stage.servers.kill(act.server);
      case 'start server':
        return await this.#startServer(act);
      case 'stall server':
        return await this.stage.servers.pause(act.server);
      case 'resume server':
        return await this.stage.servers.resume(act.server);
      case 'flush':
        if (!this.#witnessed()) return false;
        this.#lostAtMs = performance.now();
        return await this.stage.servers.flush(act.server);
      case 'flush scripts':
        return await this.stage.servers.flushScripts(act.server);
      case 'clock rate':
        this.stage.servers.setRate(act.server, act.ppm);
        return true;
      case 'link':
        await this.stage.links.trouble(act.replica, act.server, act.trouble);
        return true;
      case 'mend link':
        await this.stage.links.mend(act.replica, act.server);
        return true;
      case 'kill replica':
        if (this.#lostLately()) return false;
        return await this.stage.replicas.kill(act.replica);
      case 'stop replica':
        if (this.#lostLately()) return false;
        return await this.stage.replicas.stop(act.replica);
      case 'start replica':
        return await this.stage.replicas.start(act.replica);
      case 'pause replica':
        return this.stage.replicas.pause(act.replica);
      case 'resume replica':
        return this.stage.replicas.resume(act.replica);
      case 'replica clock':
        this.stage.replicas.shift(act.replica, act.offsetMs);
        return true;
      default:
        return act satisfies never;
    }
  }

  async #startServer(act: Extract<Act, { do: 'start server' }>): Promise<boolean> {
    const data = act.data || !this.#witnessed();
    if (!data) this.#lostAtMs = performance.now();
    return await this.stage.servers.start(act.server, { ...act, data });
  }

  /** A replica that comes up soon after a loss was not there to see it. */
  #lostLately(): boolean {
    return this.guarded && performance.now() - this.#lostAtMs < LOSS_MATTERS_MS;
  }

  /** A machine that is slow to start a replica must not make its loss an unwitnessed one. */
  #witnessed(): boolean {
    return !this.guarded || this.stage.replicas.allUpFor(WITNESS_MS);
  }
}
