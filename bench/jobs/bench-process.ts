import { OwnProcess } from '../../test/support/process.js';
import type { JobName, Jobs } from './questions.js';

const WORKER = new URL('worker.ts', import.meta.url);

/** A process of the benchmark, which is asked for one job after the other. */
export class BenchProcess {
  readonly #process = new OwnProcess<{ name: JobName; question: unknown }, unknown>(WORKER);

  async ask<Name extends JobName>(name: Name, question: Jobs[Name]['question']): Promise<Jobs[Name]['answer']> {
    return (await this.#process.ask({ name, question })) as Jobs[Name]['answer'];
  }

  stop(): Promise<void> {
    return this.#process.stop();
  }
}
