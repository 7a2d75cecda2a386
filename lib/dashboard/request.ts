import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';

/**
 * What a request has on Express as on Fastify.
 *
 * @publicApi
 */
export interface DashboardRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

/** And what only the page uses of it. */
export interface FrameworkRequest extends DashboardRequest {
  readonly originalUrl?: string;
  readonly params?: { readonly file?: string };
  /** What a parser of the application has made of the body. */
  readonly body?: unknown;
  /** Fastify keeps the request of Node here. */
  readonly raw?: IncomingMessage;
}

export interface FrameworkResponse {
  /** Fastify keeps the response of Node here. */
  readonly raw?: ServerResponse;
  /** Tells Fastify that it is answered elsewhere. */
  hijack?(): unknown;
}

export function messageOf(request: FrameworkRequest): IncomingMessage {
  return request.raw ?? (request as unknown as IncomingMessage);
}

/** The response of Node, which Fastify does not touch any more. */
export function takeOver(response: FrameworkResponse): ServerResponse {
  response.hijack?.();
  return response.raw ?? (response as unknown as ServerResponse);
}

/** One value of a header, however often it was sent. */
export function headerOf({ headers }: DashboardRequest, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** The path that was asked for, before the framework took any part of it away. */
export function pathOf({ originalUrl, url }: FrameworkRequest): string {
  const [path = ''] = (originalUrl ?? url).split('?');
  return path;
}

export function cookieOf(request: DashboardRequest, name: string): string | undefined {
  for (const pair of (headerOf(request, 'cookie') ?? '').split(';')) {
    const [key = '', value] = pair.split('=', 2);
    if (key.trim() === name) return value?.trim();
  }
  return undefined;
}
