import type { Fleet } from '../../support/fleet.js';
import { OwnProcess } from '../../support/process.js';
import type { Spell, WaiterQuestion } from './waiter.interface.js';

const WAITER = new URL('waiter.ts', import.meta.url);
const PROCESSES = 4;

/** Four processes of five waiters each, which want the same lock again and again. */
export class Contest {
  private constructor(
    private readonly processes: readonly OwnProcess<WaiterQuestion, Spell[]>[],
    private readonly urls: string[],
  ) {}

  static async begin({ urls }: Fleet): Promise<Contest> {
    const processes = Array.from({ length: PROCESSES }, () => new OwnProcess<WaiterQuestion, Spell[]>(WAITER));
    await Promise.all(processes.map((each) => each.ask({ kind: 'boot', urls: [...urls] })));
    return new Contest(processes, [...urls]);
  }

  /** All grants, in their order. */
  async work(rounds: number): Promise<Spell[]> {
    const spells = await this.askAll({ kind: 'work', urls: this.urls, waiters: 5, rounds });
    return spells.sort((one, other) => one.grantedAtMs - other.grantedAtMs);
  }

  /** Grants that are not contested, while the other processes are at work, too. */
  async alone(rounds: number): Promise<Spell[]> {
    return await this.askAll({ kind: 'alone', urls: this.urls, rounds });
  }

  async end(): Promise<void> {
    await Promise.all(this.processes.map((each) => each.stop()));
  }

  private async askAll(question: WaiterQuestion): Promise<Spell[]> {
    return (await Promise.all(this.processes.map((each) => each.ask(question)))).flat();
  }
}
