/** Lets work run one after the other, in the order in which it was asked for. */
export class Turns {
  #last: Promise<void> | undefined;

  /**
   * Calls the work at once. It gets what it has to wait for before it touches what all share: `undefined` where nothing runs, and
   * otherwise a promise that resolves when all that was asked for before has ended.
   */
  async run<T>(work: (before: Promise<void> | undefined) => Promise<T>): Promise<T> {
    const before = this.#last;
    let end: () => void = () => undefined;
    const own = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.#last = own;
    const onEnd = (): void => {
      if (this.#last === own) this.#last = undefined;
      end();
    };
    try {
      return await work(before);
    } finally {
      // Where this work has given up waiting, what comes after it still waits for what came before.
      if (before === undefined) onEnd();
      else void before.then(onEnd);
    }
  }

  get isBusy(): boolean {
    return this.#last !== undefined;
  }

  /** Resolves when everything has ended, well or not, also what begins meanwhile. */
  async settle(): Promise<void> {
    while (this.#last !== undefined) await this.#last;
  }
}
