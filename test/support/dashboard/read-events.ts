import { request } from 'node:http';

/** What a stream of events has said by now. */
export interface Said {
  readonly headers: Headers;
  readonly text: string;
}

/**
 * Reads a stream until it has said so much, and leaves it. Not by `fetch`, which then makes a new connection that it does not use, and
 * for which a server that closes waits a minute.
 */
export async function readEvents(
  url: string,
  hasAll: (text: string) => boolean,
  headers: Record<string, string> = {},
): Promise<Said> {
  return await new Promise((resolve, reject) => {
    const asked = request(url, { headers, agent: false }, (response) => {
      const all = new Headers();
      for (const [name, values = []] of Object.entries(response.headersDistinct))
        for (const value of values) all.append(name, value);
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        if (!hasAll(text)) return;
        asked.destroy();
        resolve({ headers: all, text });
      });
    });
    asked.on('error', reject).end();
  });
}
