import type { ServerResponse } from 'node:http';
import { HEADERS } from './headers.js';

/** The browser connects again after so long; then `authorize` is asked again. */
const RETRY_MS = 1000;

/** One browser that looks at the page: a response that does not end, with server-sent events in it. */
export class Viewer {
  #hasMissed = false;

  /**
   * @param onMissed  it reads again, after events that it was too slow for have been left out
   */
  constructor(
    private readonly response: ServerResponse,
    onMissed: () => void,
    onGone: () => void,
  ) {
    response.on('drain', () => {
      if (!this.#hasMissed) return;
      this.#hasMissed = false;
      onMissed();
    });
    // An error of the connection comes with its end, and is none of the application.
    response.on('error', () => undefined);
    response.on('close', onGone);
  }

  open(cookie: string | undefined): void {
    this.response.writeHead(200, {
      ...HEADERS,
      'Content-Type': 'text/event-stream; charset=utf-8',
      'X-Accel-Buffering': 'no', // A proxy such as nginx must not keep events back, either.
      ...(cookie !== undefined && { 'Set-Cookie': cookie }),
    });
    this.response.write(`retry: ${RETRY_MS}\n\n`);
  }

  /** The data is JSON, so it has no line ends. */
  send(event: string, data: string): void {
    if (this.response.writableNeedDrain) this.#hasMissed = true;
    else this.response.write(`event: ${event}\ndata: ${data}\n\n`);
  }

  end(): void {
    this.response.end();
    // A browser that does not read any more would keep the server of the application from closing.
    if (this.response.writableNeedDrain) this.response.destroy();
  }
}
