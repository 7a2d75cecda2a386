import { join } from 'node:path';
import { WallClock, type ShiftLibrary } from '../../support/clock/clock-shift.js';
import { start, type Fleet, type FleetServer } from '../../support/fleet.js';
import type { SharedClock } from '../shared-clock.js';
import type { HistoryWriter } from '../history-writer.js';
import type { Absences } from './absences.js';

const TURN_EVERY_MS = 20;

/** When a server lost its data, and when it was back. */
export interface Loss {
  readonly server: number;
  readonly fromMs: number;
  backAtMs: number;
}

/** The servers, their clocks, and the faults on them. A fault is left out where the state of the server does not allow it. */
export class Servers implements AsyncDisposable {
  readonly losses: Loss[] = [];
  readonly #rates: number[];
  readonly #paused = new Set<number>();
  readonly #timer: NodeJS.Timeout;
  #turnedAtMs: number;

  private constructor(
    private readonly fleet: Fleet,
    private readonly clocks: readonly WallClock[],
    private readonly sharedClock: SharedClock,
    private readonly writer: HistoryWriter,
    private readonly absences: Absences,
  ) {
    this.#rates = clocks.map(() => 0);
    this.#turnedAtMs = sharedClock.nowMs();
    this.#timer = setInterval(() => {
      this.#turn();
    }, TURN_EVERY_MS);
  }

  static async start(
    clocksMs: readonly number[],
    library: ShiftLibrary,
    folder: string,
    [sharedClock, writer, absences]: readonly [SharedClock, HistoryWriter, Absences],
  ): Promise<Servers> {
    const clocks = clocksMs.map((clockMs, index) => {
      const clock = new WallClock(library, join(folder, `server-${index + 1}.clock`));
      clock.set(clockMs);
      return clock;
    });
    const fleet = await start(clocks.length, {
      direct: true,
      env: (name) => clocks[Number(name.slice('server-'.length)) - 1]?.env ?? {},
    });
    return new Servers(fleet, clocks, sharedClock, writer, absences);
  }

  get origin(): string {
    return this.fleet.origin;
  }

  get all(): readonly FleetServer[] {
    return this.fleet.servers;
  }

  isUp(server: number): boolean {
    return this.#at(server).running && !this.#paused.has(server);
  }

  async kill(server: number): Promise<boolean> {
    if (!this.isUp(server)) return false;
    this.absences.begin(server, 'dead');
    await this.#at(server).kill();
    return true;
  }

  async start(server: number, { data, clockMs }: { data: boolean; clockMs?: number }): Promise<boolean> {
    if (this.#at(server).running) return false;
    const loss = data ? undefined : this.#lose(server);
    if (!data && clockMs !== undefined) this.clocks[server]!.set(clockMs);
    await this.#at(server).restart({ data });
    if (loss !== undefined) loss.backAtMs = this.sharedClock.nowMs();
    this.absences.end(server, 'dead');
    return true;
  }

  async pause(server: number): Promise<boolean> {
    if (!this.isUp(server)) return false;
    this.absences.begin(server, 'stalled');
    this.#paused.add(server);
    await this.#at(server).pause();
    return true;
  }

  async resume(server: number): Promise<boolean> {
    if (!this.#paused.has(server)) return false;
    await this.#at(server).resume();
    this.#paused.delete(server);
    this.absences.end(server, 'stalled');
    return true;
  }

  async flush(server: number): Promise<boolean> {
    if (!this.isUp(server)) return false;
    const loss = this.#lose(server);
    await this.#at(server).command('FLUSHALL');
    loss.backAtMs = this.sharedClock.nowMs();
    return true;
  }

  async flushScripts(server: number): Promise<boolean> {
    if (!this.isUp(server)) return false;
    this.absences.begin(server, 'without its scripts');
    await this.#at(server).command('SCRIPT', 'FLUSH');
    this.absences.end(server, 'without its scripts');
    return true;
  }

  /** From now on the clock of the server runs too fast by this. It never makes a step. */
  setRate(server: number, ppm: number): void {
    this.#rates[server] = ppm / 1e6;
  }

  /** Ends all faults. */
  async mend(): Promise<void> {
    await Promise.all(
      this.all.map(async (each, server) => {
        this.setRate(server, 0);
        await this.resume(server);
        if (!each.running) await this.start(server, { data: true });
      }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.fleet.stop();
    for (const clock of this.clocks) clock.close();
  }

  #lose(server: number): Loss {
    const loss = { server, fromMs: this.sharedClock.nowMs(), backAtMs: Infinity };
    this.losses.push(loss);
    this.writer.write({ kind: 'lost', server });
    return loss;
  }

  /** The time of a pause of this process is left out: the clock would make a step. */
  #turn(): void {
    const nowMs = this.sharedClock.nowMs();
    const passedMs = Math.min(nowMs - this.#turnedAtMs, 2 * TURN_EVERY_MS);
    this.#turnedAtMs = nowMs;
    this.clocks.forEach((clock, server) => {
      const rate = this.#rates[server]!;
      if (rate !== 0) clock.set(clock.offsetMs + passedMs * rate);
    });
  }

  #at(server: number): FleetServer {
    return this.all[server]!;
  }
}
