import { join } from 'node:path';
import { WallClock, type ShiftLibrary } from '../../support/clock/clock-shift.js';
import { OwnProcess } from '../../support/process.js';
import type { SharedClock } from '../shared-clock.js';
import type { ChaosOptions } from '../options.js';
import type { Answer, Command } from '../replica/replica.interface.js';

const ENTRY = new URL('../replica/main.ts', import.meta.url);
const ATTEMPTS_A_LIFE = 1_000_000;

/** How wrong a clock was, from when on. */
export interface ClockStep {
  readonly atMs: number;
  readonly offsetMs: number;
}

/** One process in the place of a replica, and after its end what is known of it. */
export interface Life {
  readonly name: string;
  readonly replica: number;
  readonly historyFile: string;
  readonly startedAtMs: number;
  readyAtMs: number;
  /** When the signal was sent; the process may have lived for some milliseconds more. */
  killedAtMs?: number;
  /** When the command to close arrived. */
  stoppedAtMs?: number;
  over: boolean;
  readonly clock: ClockStep[];
}

interface Place {
  readonly clock: WallClock;
  lives: number;
  life?: Life;
  process?: OwnProcess<Command, Answer>;
  paused: boolean;
}

export interface ReplicaRules extends Pick<ChaosOptions, 'seed' | 'restartGuard'> {
  readonly clockToleranceMs: number;
  readonly busy: boolean;
  readonly urlsOf: (replica: number) => readonly string[];
  readonly sharedClock: SharedClock;
  /** For their history files. */
  readonly folder: string;
  readonly library: ShiftLibrary;
  readonly onBorn: (pid: number) => void;
}

/** The replicas, their clocks, and what is done to them. */
export class Replicas implements AsyncDisposable {
  readonly lives: Life[] = [];
  /** Failures: a process that ended unexpectedly, or did not come up. */
  readonly troubles: string[] = [];
  readonly #places: Place[];

  constructor(
    readonly count: number,
    private readonly rules: ReplicaRules,
  ) {
    this.#places = Array.from({ length: count }, (_, replica) => ({
      clock: new WallClock(rules.library, join(rules.folder, `replica-${replica + 1}.clock`)),
      lives: 0,
      paused: false,
    }));
  }

  /** Whether each replica that runs, paused or not, has been up for at least so long. */
  allUpFor(ms: number): boolean {
    return this.#places.every(
      ({ life }) => life === undefined || this.rules.sharedClock.nowMs() - life.readyAtMs >= ms,
    );
  }

  get awake(): number {
    return this.#places.filter(({ life, paused }) => life !== undefined && !paused).length;
  }

  async start(replica: number): Promise<boolean> {
    const place = this.#places[replica]!;
    if (place.process !== undefined) return false;
    const name = `replica-${replica + 1}.${++place.lives}`;
    const life: Life = {
      name,
      replica,
      historyFile: join(this.rules.folder, `${name}.jsonl`),
      startedAtMs: this.rules.sharedClock.nowMs(),
      readyAtMs: Infinity,
      over: false,
      clock: [{ atMs: -Infinity, offsetMs: place.clock.offsetMs }],
    };
    const own = new OwnProcess<Command, Answer>(ENTRY, place.clock.env);
    this.rules.onBorn(own.pid);
    Object.assign(place, { life, process: own, paused: false });
    const number = this.lives.push(life);
    const { seed, restartGuard, clockToleranceMs, busy } = this.rules;
    const urls = this.rules.urlsOf(replica);
    const firstAttempt = number * ATTEMPTS_A_LIFE;
    const origin = String(this.rules.sharedClock.originNs);
    const common = { name, firstAttempt, seed: seed + number, historyFile: life.historyFile, origin };
    try {
      await own.ask({ kind: 'boot', ...common, urls, restartGuard, clockToleranceMs, busy });
    } catch (error) {
      this.#onEnd(life, error);
      return false;
    }
    life.readyAtMs = this.rules.sharedClock.nowMs();
    own.ask({ kind: 'stay' }).catch((error: unknown) => {
      this.#onEnd(life, error);
    });
    return true;
  }

  async kill(replica: number): Promise<boolean> {
    const { life, process: own } = this.#places[replica]!;
    if (life === undefined || own === undefined) return false;
    life.over = true;
    life.killedAtMs = this.rules.sharedClock.nowMs();
    await own.stop();
    this.#leave(replica);
    return true;
  }

  /** As a deployment does it: the application is closed, and only then the process ends. */
  async stop(replica: number): Promise<boolean> {
    const { life, process: own, paused } = this.#places[replica]!;
    if (life === undefined || own === undefined || paused || life.readyAtMs === Infinity) return false;
    life.over = true;
    life.stoppedAtMs = this.rules.sharedClock.nowMs();
    await own.ask({ kind: 'close' });
    await own.stop();
    this.#leave(replica);
    return true;
  }

  pause(replica: number): boolean {
    const place = this.#places[replica]!;
    if (place.life === undefined || place.life.readyAtMs === Infinity || place.life.over) return false;
    place.paused = true;
    place.process?.signal('SIGSTOP');
    return true;
  }

  resume(replica: number): boolean {
    const place = this.#places[replica]!;
    if (!place.paused) return false;
    place.paused = false;
    place.process?.signal('SIGCONT');
    return true;
  }

  /** Its wall clock makes a step. */
  shift(replica: number, offsetMs: number): void {
    const { clock, life } = this.#places[replica]!;
    clock.set(offsetMs);
    life?.clock.push({ atMs: this.rules.sharedClock.nowMs(), offsetMs });
  }

  async take(replica: number, key: string, ttlMs: number): Promise<boolean> {
    return (await this.#places[replica]!.process?.ask({ kind: 'take', key, ttlMs })) ?? false;
  }

  async stopAll(): Promise<void> {
    await Promise.all(
      this.#places.map(async (_, replica) => {
        this.resume(replica);
        if (!(await this.stop(replica))) await this.kill(replica);
      }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#places.map(async ({ process: own }) => own?.stop()));
    for (const { clock } of this.#places) clock.close();
  }

  #leave(replica: number): void {
    Object.assign(this.#places[replica]!, { life: undefined, process: undefined, paused: false });
  }

  #onEnd(life: Life, error: unknown): void {
    if (life.over) return;
    life.over = true;
    life.killedAtMs = this.rules.sharedClock.nowMs();
    this.#leave(life.replica);
    this.troubles.push(`${life.name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
