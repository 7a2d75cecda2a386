import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ForbiddenException, Logger, UnauthorizedException } from '@nestjs/common';
import { accessOf } from '../../../lib/dashboard/access.js';
import type { FrameworkRequest } from '../../../lib/dashboard/request.js';

function requestOf(
  remoteAddress: string | undefined,
  headers: Record<string, string> = { host: 'localhost:3000' },
): FrameworkRequest {
  return { method: 'GET', url: '/redlock', headers, socket: { remoteAddress } } as unknown as FrameworkRequest;
}

async function mayWith(authorize: unknown, request = requestOf('10.0.0.7')): Promise<unknown> {
  const access = await accessOf(request, { path: '/redlock', authorize: authorize as () => unknown });
  return access.may === 'nothing' ? access.status : access.may;
}

async function mayWithout(request: FrameworkRequest): Promise<unknown> {
  const access = await accessOf(request, { path: '/redlock' });
  return access.may === 'nothing' ? access.status : access.may;
}

describe('what a request may do', () => {
  let before: string | undefined;
  beforeEach(() => {
    before = process.env.NODE_ENV;
  });
  afterEach(() => {
    process.env.NODE_ENV = before;
    jest.restoreAllMocks();
  });

  it.each([
    [true, 'everything'],
    ['read', 'read'],
    [false, 403],
    // No other value opens it: a function that gives the user instead of true must not let every user in.
    [undefined, 403],
    [null, 403],
    ['', 403],
    ['true', 403],
    ['everything', 403],
    [1, 403],
    [{ name: 'a user' }, 403],
  ])('is what authorize says: %j means %j, at once and as a promise, also in production', async (answer, may) => {
    process.env.NODE_ENV = 'production';
    expect(await mayWith(() => answer)).toBe(may);
    expect(await mayWith(() => Promise.resolve(answer))).toBe(may);
  });

  it('is told by the request as the framework gives it', async () => {
    const request = requestOf('10.0.0.7', { authorization: 'Bearer x' });
    const authorize = jest.fn((_: unknown) => true);
    await mayWith(authorize, request);
    expect(authorize).toHaveBeenCalledWith(request);
  });

  it('is nothing where authorize throws or rejects: with the status of an HttpException, or 500 and a line in the log', async () => {
    const error = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    const throws = (problem: unknown) => (): never => {
      throw problem;
    };
    expect(await mayWith(throws(new UnauthorizedException()))).toBe(401);
    expect(await mayWith(throws(new ForbiddenException()))).toBe(403);
    expect(error).not.toHaveBeenCalled();
    expect(await mayWith(throws(new Error('no database')))).toBe(500);
    expect(await mayWith(() => Promise.reject(new Error('no database')))).toBe(500);
    expect(await mayWith(throws(undefined))).toBe(500);
    expect(error).toHaveBeenCalledTimes(3);
    expect(error.mock.calls[0]![0]).toContain('authorize of the RedlockDashboardModule failed: Error: no database');
    expect(await accessOf(requestOf('10.0.0.7'), { path: '/', authorize: throws(new Error('no database')) })).toEqual({
      may: 'nothing',
      status: 500,
      why: 'You may not see this page.',
    });
  });

  it('is nothing in production without authorize, and the answer says how to open it', async () => {
    process.env.NODE_ENV = 'production';
    expect(await accessOf(requestOf('127.0.0.1'), { path: '/redlock' })).toEqual({
      may: 'nothing',
      status: 403,
      why: expect.stringContaining('give RedlockDashboardModule.forRoot the option authorize'),
    });
  });

  it.each(['127.0.0.1', '127.8.9.10', '::1', '::ffff:127.0.0.1'])(
    'is everything outside production without authorize for a client of this machine (%s)',
    async (address) => {
      process.env.NODE_ENV = 'development';
      for (const host of ['localhost', 'localhost:3000', 'app.localhost:3000', '127.0.0.1:3000', '[::1]:3000']) {
        expect(await mayWithout(requestOf(address, { host }))).toBe('everything');
      }
    },
  );

  it.each(['10.0.0.7', '192.168.1.5', '::ffff:10.0.0.7', '2001:db8::1', '1127.0.0.1', '', undefined])(
    'is nothing without authorize for a client of another machine (%s)',
    async (address) => {
      delete process.env.NODE_ENV;
      expect(await mayWithout(requestOf(address))).toBe(403);
    },
  );

  it('is nothing without authorize through a proxy or a tunnel on this machine', async () => {
    for (const header of ['x-forwarded-for', 'forwarded', 'x-real-ip', 'via', 'x-forwarded-host']) {
      expect(await mayWithout(requestOf('127.0.0.1', { host: 'localhost', [header]: '10.0.0.7' }))).toBe(403);
    }
  });

  it('is nothing without authorize for a page of another origin, as a proxy passes it on that names no client', async () => {
    const request = (origin: string): ReturnType<typeof requestOf> =>
      requestOf('127.0.0.1', { host: 'localhost:3000', origin });
    expect(await mayWithout(request('https://staging.example'))).toBe(403);
    expect(await mayWithout(request('http://localhost:3000'))).not.toBe(403);
  });

  it('is nothing without authorize under a name that only leads to this machine, as in DNS rebinding', async () => {
    for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example', 'evil-localhost', '']) {
      expect(await mayWithout(requestOf('127.0.0.1', { host }))).toBe(403);
    }
  });
});
