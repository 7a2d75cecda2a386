import { describe, expect, it } from '@jest/globals';
import { isFromThePage, newTokenFor } from '../../../lib/dashboard/cross-site.js';
import type { FrameworkRequest } from '../../../lib/dashboard/request.js';

const TOKEN = '0123456789abcdef0123456789abcdef';
const OTHER = 'f'.repeat(32);

const requestOf = (headers: Record<string, string>, socket: object = {}): FrameworkRequest =>
  ({ method: 'POST', url: '/redlock/act', headers, socket }) as unknown as FrameworkRequest;

const good = { cookie: `a=b; redlock-dashboard=${TOKEN}`, 'x-redlock-dashboard': TOKEN };

const isGood = (headers: Record<string, string>): boolean => isFromThePage(requestOf(headers));

describe('a POST', () => {
  it('is taken with the token in cookie and header, from the same origin', () => {
    expect(isGood({ ...good, 'sec-fetch-site': 'same-origin' })).toBe(true);
  });

  it.each(['cross-site', 'same-site', 'none', ''])(
    'is refused where the browser says that it comes from "%s"',
    (site) => {
      expect(isGood({ ...good, 'sec-fetch-site': site, host: 'shop.example', origin: 'https://shop.example' })).toBe(
        false,
      );
    },
  );

  it.each([
    ['no cookie', { cookie: '' }],
    ['another cookie', { cookie: `redlock-dashboard=${OTHER}` }],
    ['an empty token', { cookie: 'redlock-dashboard=', 'x-redlock-dashboard': '' }],
    ['a token of another form', { cookie: 'redlock-dashboard=1', 'x-redlock-dashboard': '1' }],
    ['no header', { 'x-redlock-dashboard': '' }],
    ['another header', { 'x-redlock-dashboard': OTHER }],
    ['a longer header', { 'x-redlock-dashboard': `${TOKEN}0` }],
  ])('is refused with %s', (_, headers) => {
    expect(isGood({ ...good, 'sec-fetch-site': 'same-origin', ...headers })).toBe(false);
  });

  it('is judged by its origin where the browser does not say where it comes from, as over plain http', () => {
    const from = (origin: string, more: Record<string, string> = {}): boolean =>
      isGood({ ...good, host: 'shop.example:3000', origin, ...more });
    expect(from('http://shop.example:3000')).toBe(true);
    expect(from('http://shop.example')).toBe(false);
    expect(from('http://evil.example')).toBe(false);
    expect(from('http://shop.example:3000.evil.example')).toBe(false);
    expect(from('null')).toBe(false);
    expect(isGood({ ...good, host: 'shop.example' })).toBe(false);
  });

  it('is taken through a proxy that tells the name that was asked for', () => {
    const headers = { ...good, host: 'app:3000', 'x-forwarded-host': 'Shop.example', origin: 'http://shop.example' };
    expect(isGood(headers)).toBe(true);
  });

  it('is taken over HTTP/2, whose name of the host is elsewhere', () => {
    expect(isGood({ ...good, ':authority': 'shop.example', origin: 'https://shop.example' })).toBe(true);
  });
});

describe('the token', () => {
  it('is new for a browser that has none, and other sites do not send it', () => {
    const first = newTokenFor(requestOf({}));
    expect(first).toMatch(/^redlock-dashboard=[0-9a-f]{32}; SameSite=Strict$/);
    expect(newTokenFor(requestOf({}))).not.toBe(first);
  });

  it('stays, whichever replica is asked', () => {
    expect(newTokenFor(requestOf({ cookie: `redlock-dashboard=${TOKEN}` }))).toBeUndefined();
  });

  it('is replaced where it is none', () => {
    expect(newTokenFor(requestOf({ cookie: 'redlock-dashboard=mine' }))).toBeDefined();
  });

  it('goes over https only where the page came so', () => {
    expect(newTokenFor(requestOf({ 'x-forwarded-proto': 'https' }))).toMatch(/; Secure$/);
    expect(newTokenFor(requestOf({}, { encrypted: true }))).toMatch(/; Secure$/);
  });
});
