import type { ServerResponse } from 'node:http';
import type { Live } from './live.js';
import { Viewer } from './viewer.js';

/** More browsers than any team has. */
const MOST_VIEWERS = 100;

/** So that proxies keep the connection, and the page notices when it is dead. */
const BEAT_MS = 10_000;

/** Then the browser connects again, and is asked again for its permission: a session may have ended. */
const LONGEST_MS = 5 * 60_000;

/** The browsers that look at the page now. */
export class Viewers {
  readonly #viewers = new Set<Viewer>();
  #beat: NodeJS.Timeout | undefined;

  constructor(private readonly live: Live) {}

  get isFull(): boolean {
    return this.#viewers.size >= MOST_VIEWERS;
  }

  add(response: ServerResponse, mayAct: boolean, cookie: string | undefined): void {
    const sendAll = (): void => {
      viewer.send('change', JSON.stringify({ ...this.live.all(), mayAct }));
    };
    const viewer = new Viewer(response, sendAll, () => {
      clearTimeout(longest);
      this.#remove(viewer);
    });
    const longest = setTimeout(() => {
      viewer.end();
    }, LONGEST_MS);
    viewer.open(cookie);
    this.#viewers.add(viewer);
    if (this.#viewers.size === 1) this.#start();
    sendAll();
  }

  /** An open response would keep the application from closing. */
  endAll(): void {
    for (const viewer of this.#viewers) viewer.end();
  }

  #start(): void {
    this.live.start((change) => {
      this.#send('change', JSON.stringify(change));
    });
    this.#beat = setInterval(() => {
      this.#send('beat', JSON.stringify({ now: Date.now() }));
    }, BEAT_MS);
  }

  #remove(viewer: Viewer): void {
    if (!this.#viewers.delete(viewer) || this.#viewers.size > 0) return;
    this.live.stop();
    clearInterval(this.#beat);
  }

  #send(event: string, data: string): void {
    for (const viewer of this.#viewers) viewer.send(event, data);
  }
}
