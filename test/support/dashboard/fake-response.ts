import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';

/** A response as far as a stream of events needs one, which keeps what is written. */
export class FakeResponse extends EventEmitter {
  headers: Record<string, string> = {};
  text = '';
  writableNeedDrain = false;
  isEnded = false;
  isDestroyed = false;

  writeHead(_status: number, headers: Record<string, string>): void {
    this.headers = headers;
  }

  write(text: string): void {
    this.text += text;
  }

  end(): void {
    this.isEnded = true;
    this.emit('close');
  }

  destroy(): void {
    this.isDestroyed = true;
  }

  /** It reads again. */
  drain(): void {
    this.writableNeedDrain = false;
    this.emit('drain');
  }

  get response(): ServerResponse {
    return this as unknown as ServerResponse;
  }

  /** The data of the events of this name, and forgets them. */
  take(event = 'change'): Record<string, unknown>[] {
    const all = [...this.text.matchAll(/^event: (\w+)\ndata: (.*)\n\n/gm)];
    this.text = '';
    return all.flatMap(([, name, data = '']) => (name === event ? [JSON.parse(data) as Record<string, unknown>] : []));
  }
}
