import type { AbstractHttpAdapter } from '@nestjs/core';
import { HEADERS } from './headers.js';

/** An answer of the page. It is written through Nest's adapter, past what interceptors would make of it. */
export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

export function json(status: number, body: object): Answer {
  return { status, type: 'application/json; charset=utf-8', body: JSON.stringify(body) };
}

export function refusal(status: number, error: string): Answer {
  return json(status, { error });
}

export function write(http: AbstractHttpAdapter, response: unknown, { status, type, body }: Answer): void {
  for (const [name, value] of Object.entries(HEADERS)) http.setHeader(response, name, value);
  http.setHeader(response, 'Content-Type', type);
  http.reply(response, body, status);
}
