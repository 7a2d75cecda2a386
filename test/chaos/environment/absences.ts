import type { SharedClock } from '../shared-clock.js';

/** A time in which a server did not fully take part, and why. */
export interface Absence {
  readonly server: number;
  readonly why: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** When which server was away, for as many reasons at once as there are. */
export class Absences {
  readonly #all: Absence[] = [];
  readonly #open = new Map<string, { readonly server: number; readonly why: string; readonly fromMs: number }>();

  constructor(private readonly sharedClock: SharedClock) {}

  begin(server: number, why: string): void {
    const name = `${server} ${why}`;
    if (!this.#open.has(name)) this.#open.set(name, { server, why, fromMs: this.sharedClock.nowMs() });
  }

  end(server: number, why: string): void {
    const begun = this.#open.get(`${server} ${why}`);
    if (begun === undefined) return;
    this.#open.delete(`${server} ${why}`);
    this.#all.push({ ...begun, toMs: this.sharedClock.nowMs() });
  }

  add(absence: Absence): void {
    this.#all.push(absence);
  }

  get all(): readonly Absence[] {
    return this.#all;
  }
}
