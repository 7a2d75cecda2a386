import { randomBytes, timingSafeEqual } from 'node:crypto';
import { cookieOf, headerOf, messageOf, type FrameworkRequest } from './request.js';

/** The cookie with the token, and the header that must repeat it. */
export const TOKEN_COOKIE = 'redlock-dashboard';
export const TOKEN_HEADER = 'x-redlock-dashboard';

const TOKEN = /^[0-9a-f]{32}$/;

/**
 * The cookie that a browser without a token is given, as a header. The token is the browser's own and no replica keeps it, so a
 * POST may reach another replica than the page did. Without `Path` the browser takes the folder that it asked: the right one,
 * whatever a proxy has made of the path on the way.
 */
export function newTokenFor(request: FrameworkRequest): string | undefined {
  if (TOKEN.test(cookieOf(request, TOKEN_COOKIE) ?? '')) return undefined;
  const isSecure = 'encrypted' in messageOf(request).socket || headerOf(request, 'x-forwarded-proto') === 'https';
  return `${TOKEN_COOKIE}=${randomBytes(16).toString('hex')}; SameSite=Strict${isSecure ? '; Secure' : ''}`;
}

/**
 * Whether the page itself has sent this request, and not a page of another site in the browser of a user that is signed in.
 *
 * 1. The token is in the cookie and in the header. Other sites can read neither cookie nor page, the browser does not send the cookie
 *    with their requests (`SameSite`), and the header alone makes it ask first (CORS).
 * 2. The browser says that the request comes from this very origin. That refuses sites of the same domain, too, which could set the
 *    cookie (`Sec-Fetch-Site`, which no script can set), and pages of another port.
 */
export function isFromThePage(request: FrameworkRequest): boolean {
  return hasToken(request) && isSameOrigin(request);
}

function hasToken(request: FrameworkRequest): boolean {
  const cookie = cookieOf(request, TOKEN_COOKIE) ?? '';
  const header = headerOf(request, TOKEN_HEADER) ?? '';
  if (!TOKEN.test(cookie) || !TOKEN.test(header)) return false;
  return timingSafeEqual(Buffer.from(cookie), Buffer.from(header));
}

function isSameOrigin(request: FrameworkRequest): boolean {
  const site = headerOf(request, 'sec-fetch-site');
  if (site !== undefined) return site === 'same-origin';
  // Browsers send it over https and from this machine only. They send the origin with each POST.
  const origin = headerOf(request, 'origin');
  if (origin === undefined || !URL.canParse(origin)) return false;
  const { host } = new URL(origin);
  const asked = [headerOf(request, 'host'), headerOf(request, ':authority'), headerOf(request, 'x-forwarded-host')];
  return asked.some((name) => name?.toLowerCase() === host);
}
