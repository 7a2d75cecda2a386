/** After a reading it rests nine times as long as that took: what is slow must not keep the servers busy. */
const REST = 9;

/** Readings that are asked for out of turn begin at least so long after the one before, and four times as long as that took. */
const HURRY_MS = 250;
const HURRY_REST = 4;

/** Reads something again and again, for as long as it is on. */
export class Poller {
  #timer: NodeJS.Timeout | undefined;
  #isOn = false;
  #isReading = false;
  #isHurried = false;
  #nextAtMs = 0;
  #hurriedAtMs = 0;

  /** `read` must not reject. */
  constructor(
    private readonly everyMs: number,
    private readonly read: () => Promise<void>,
  ) {}

  /** The first reading is at once, unless the latest one before it is too new: a page that is loaded again and again changes nothing. */
  start(): void {
    if (this.#isOn) return;
    this.#isOn = true;
    this.#plan(this.#nextAtMs);
  }

  stop(): void {
    this.#isOn = false;
    clearTimeout(this.#timer);
  }

  /** Something has happened: reads soon, and after the present reading if there is one. */
  hurry(): void {
    if (this.#isReading) this.#isHurried = true;
    else if (this.#isOn) this.#plan(Math.min(this.#nextAtMs, this.#hurriedAtMs));
  }

  #plan(atMs: number): void {
    this.#nextAtMs = atMs;
    clearTimeout(this.#timer);
    if (this.#isReading) return; // Its end plans the next one.
    this.#timer = setTimeout(() => void this.#run(), Math.max(0, atMs - performance.now()));
  }

  async #run(): Promise<void> {
    this.#isReading = true;
    this.#isHurried = false;
    const startedAtMs = performance.now();
    await this.read();
    this.#isReading = false;
    const endedAtMs = performance.now();
    const tookMs = endedAtMs - startedAtMs;
    this.#nextAtMs = endedAtMs + Math.max(this.everyMs, REST * tookMs);
    this.#hurriedAtMs = startedAtMs + Math.max(HURRY_MS, HURRY_REST * tookMs);
    if (this.#isOn) this.#plan(this.#wasHurried() ? this.#hurriedAtMs : this.#nextAtMs);
  }

  /** Whether that was asked for during the present reading. */
  #wasHurried(): boolean {
    return this.#isHurried;
  }
}
