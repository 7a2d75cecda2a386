import type { Fleet } from '../test/support/fleet.js';
import type { ContestantName } from './contestants/index.js';
import { BenchProcess } from './jobs/bench-process.js';
import type { Options, Plan } from './options.js';
import type { Progress } from './progress.js';
import { ServersMeter } from './servers-meter.js';

/** What scenarios work with: servers, processes, and how much to measure. */
export class Bench implements AsyncDisposable {
  /** What the reader of the numbers must know. */
  readonly notes: string[] = [];
  readonly plan: Plan;
  readonly contestants: readonly ContestantName[];
  readonly #own = new Map<ContestantName, BenchProcess>();
  readonly #shared: BenchProcess[] = [];

  private constructor(
    options: Options,
    readonly progress: Progress,
    private readonly fleet: Fleet,
    private readonly meter: ServersMeter,
  ) {
    this.plan = options.plan;
    this.contestants = options.contestants;
  }

  static async open(options: Options, progress: Progress, fleet: Fleet): Promise<Bench> {
    return new Bench(options, progress, fleet, await ServersMeter.open(fleet.urls));
  }

  urls(servers: number): readonly string[] {
    return this.fleet.urls.slice(0, servers);
  }

  /** A process in which nothing but this contestant runs, so that its CPU, its garbage and its compiled code are its own. */
  processOf(name: ContestantName): BenchProcess {
    const present = this.#own.get(name);
    if (present !== undefined) return present;
    const made = new BenchProcess();
    this.#own.set(name, made);
    return made;
  }

  /** Processes that all contestants share, one after the other: for what mostly waits. */
  sharedProcesses(count: number): readonly BenchProcess[] {
    while (this.#shared.length < count) this.#shared.push(new BenchProcess());
    return this.#shared.slice(0, count);
  }

  /** What the servers worked meanwhile, in microseconds. */
  async serversCpuUs<T>(servers: number, work: () => Promise<T>): Promise<{ answer: T; cpuUs: number }> {
    const before = await this.meter.cpuUs(servers);
    const answer = await work();
    return { answer, cpuUs: (await this.meter.cpuUs(servers)) - before };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.meter.close();
    await Promise.all([...this.#own.values(), ...this.#shared].map((each) => each.stop()));
  }
}
