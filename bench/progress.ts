const WIDTH = 24;

/** How far it is, on stderr: a bar on a terminal, else a line for each part. */
export class Progress {
  #part = -1;
  #title = '';
  readonly #startedAtMs = performance.now();

  constructor(
    private readonly parts: number,
    private readonly stream: NodeJS.WriteStream = process.stderr,
  ) {}

  begin(title: string): void {
    this.#part++;
    this.#title = title;
    if (this.stream.isTTY) this.at(0);
    else this.stream.write(`${this.#part + 1} of ${this.parts}, ${this.#seconds()} s: ${title}\n`);
  }

  /** How much of the present part is done, from 0 to 1. */
  at(fraction: number): void {
    if (!this.stream.isTTY) return;
    const done = (this.#part + fraction) / this.parts;
    const bar = '#'.repeat(Math.round(done * WIDTH)).padEnd(WIDTH, '.');
    const percent = String(Math.floor(done * 100)).padStart(3);
    this.stream.write(`\r\u001b[K[${bar}] ${percent} % ${this.#seconds()} s ${this.#title}`);
  }

  end(): void {
    if (this.stream.isTTY) this.stream.write('\r\u001b[K');
  }

  #seconds(): number {
    return Math.round((performance.now() - this.#startedAtMs) / 1000);
  }
}
