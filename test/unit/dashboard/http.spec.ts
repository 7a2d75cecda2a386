import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  BadRequestException,
  ForbiddenException,
  Logger,
  Module,
  RequestMethod,
  VersioningType,
  type CallHandler,
  type INestApplication,
  type MiddlewareConsumer,
  type NestModule,
} from '@nestjs/common';
import helmet from 'helmet';
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { InvalidOptionsError, RedlockModule } from 'redlock-nestjs';
import { RedlockDashboardModule } from 'redlock-nestjs/dashboard';
import { RedlockTestingModule } from 'redlock-nestjs/testing';
import { map } from 'rxjs';
import { HEADERS } from '../../../lib/dashboard/headers.js';
import { LockContendedError, QuorumUnreachableError, RedlockShutdownError } from '../../../lib/core/errors/index.js';
import { CollectingLogger } from '../../support/collecting-logger.js';
import { startDashboard, type DashboardAppOptions, type Platform } from '../../support/dashboard/dashboard-app.js';
import { readEvents, type Said } from '../../support/dashboard/read-events.js';
import { FakeJobs } from '../../support/dashboard/fake-jobs.js';

const TOKEN = '0123456789abcdef0123456789abcdef';

/** What the page sends. */
const OWN = {
  'content-type': 'application/json',
  cookie: `redlock-dashboard=${TOKEN}`,
  'x-redlock-dashboard': TOKEN,
  'sec-fetch-site': 'same-origin',
};

describe.each<Platform>(['Express', 'Fastify'])('the page on %s', (platform) => {
  let jobs: FakeJobs;
  let app: INestApplication | undefined;
  let url: string;
  beforeEach(() => {
    jobs = new FakeJobs().add('invoices');
  });
  afterEach(async () => {
    await app?.close();
    app = undefined;
    jest.restoreAllMocks();
  });

  async function boot(options: Partial<DashboardAppOptions> = {}): Promise<void> {
    ({ app, url } = await startDashboard({ jobs, platform, ...options }));
  }

  const post = (body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${url}/redlock/act`, {
      method: 'POST',
      headers: { ...OWN, ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });

  /** The status of an answer, and its body. */
  async function answerOf(response: Promise<Response>): Promise<[number, unknown]> {
    const answer = await response;
    return [answer.status, await answer.json()];
  }

  /** What the stream says first. */
  const firstEvent = (headers: Record<string, string> = {}): Promise<Said> =>
    readEvents(`${url}/redlock/events`, (text) => text.includes('data: '), headers);

  const securityOf = ({ headers }: Pick<Response, 'headers'>): object =>
    Object.fromEntries(Object.keys(HEADERS).map((name) => [name, headers.get(name)]));

  it('has its files, each with its type and with headers that let nothing else in', async () => {
    await boot();
    const types = {
      '': 'text/html; charset=utf-8',
      '/page.js': 'text/javascript; charset=utf-8',
      '/page.css': 'text/css; charset=utf-8',
      '/icon.svg': 'image/svg+xml; charset=utf-8',
      '/nothing': 'application/json; charset=utf-8',
      '/act': 'application/json; charset=utf-8',
    };
    for (const [file, type] of Object.entries(types)) {
      const response = await fetch(`${url}/redlock${file}`);
      expect([file, response.headers.get('content-type'), securityOf(response)]).toEqual([file, type, HEADERS]);
      expect(response.status).toBe(['/nothing', '/act'].includes(file) ? 404 : 200);
    }
    expect(HEADERS['Content-Security-Policy']).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; " +
        "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    );
    expect(HEADERS).toMatchObject({
      'Cache-Control': expect.stringContaining('no-store'),
      'Referrer-Policy': 'no-referrer',
    });
    const events = await firstEvent();
    expect(events.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(securityOf(events)).toEqual(HEADERS);
    expect(events.text).toMatch(/^retry: 1000\n\nevent: change\ndata: \{.*"mayAct":true\}\n\n/);
  });

  it('finds its files below a global prefix, with versions, with a query, and behind a proxy that has cut the path', async () => {
    await boot({
      prepare: (app) => {
        app.setGlobalPrefix('api/v9', { exclude: [{ path: 'health', method: RequestMethod.GET }] });
        app.enableVersioning({ type: VersioningType.URI, defaultVersion: '3' });
      },
    });
    const html = await (await fetch(`${url}/api/v9/redlock?x=/y`)).text();
    const [, file = ''] = /src="([^"]+)"/.exec(html) ?? [];
    expect(file).toBe('./redlock/page.js');
    expect((await fetch(new URL(file, `${url}/api/v9/redlock`))).status).toBe(200);
    expect((await fetch(`${url}/redlock`)).status).toBe(404);
  });

  it('is at the path that it is given', async () => {
    await boot({ dashboard: { path: 'admin/locks/', authorize: () => true } });
    expect(await (await fetch(`${url}/admin/locks`)).text()).toContain('src="./locks/page.js"');
    expect((await fetch(`${url}/admin/locks/page.js`)).status).toBe(200);
    expect((await fetch(`${url}/redlock`)).status).toBe(404);
  });

  it('keeps its headers beside helmet, whose policy is another', async () => {
    await boot({ prepare: (app) => app.use(helmet()) });
    const response = await fetch(`${url}/redlock`);
    expect(securityOf(response)).toEqual(HEADERS);
    expect((await firstEvent()).headers.get('content-security-policy')).toBe(HEADERS['Content-Security-Policy']);
  });

  it('is as it is with global pipes and interceptors', async () => {
    await boot({
      prepare: (app) => {
        app.useGlobalPipes({
          transform: () => {
            throw new BadRequestException();
          },
        });
        app.useGlobalInterceptors({
          intercept: (_: unknown, next: CallHandler) => next.handle().pipe(map((data: unknown) => ({ data }))),
        });
      },
    });
    expect(await (await fetch(`${url}/redlock`)).text()).toContain('<title>Jobs and locks</title>');
    expect((await firstEvent()).text).toContain('event: change');
    expect(await answerOf(post({ action: 'resume', job: 'invoices' }))).toEqual([200, { done: 'resume' }]);
  });

  it('asks a global guard first, and then authorize', async () => {
    const authorize = jest.fn(() => false);
    let mayPass = false;
    await boot({
      dashboard: { authorize },
      prepare: (app) => app.useGlobalGuards({ canActivate: () => mayPass }),
    });
    expect((await fetch(`${url}/redlock`)).status).toBe(403);
    expect(authorize).not.toHaveBeenCalled();
    mayPass = true;
    expect((await fetch(`${url}/redlock`)).status).toBe(403);
    expect(authorize).toHaveBeenCalledTimes(1);
  });

  it('without permission gives nothing: no page, no file, no event, no deed', async () => {
    await boot({ dashboard: { authorize: () => false } });
    const page = await fetch(`${url}/redlock`);
    expect([page.status, securityOf(page)]).toEqual([403, HEADERS]);
    expect(await page.text()).toContain('You may not see this page.');
    for (const path of ['page.js', 'nothing', 'events']) {
      expect(await answerOf(fetch(`${url}/redlock/${path}`))).toEqual([403, { error: 'You may not see this page.' }]);
    }
    expect(await answerOf(post({ action: 'run', job: 'invoices' }))).toEqual([
      403,
      { error: 'You may not see this page.' },
    ]);
    expect(jobs.calls).toEqual([]);
    expect(jobs.reads.list).toBe(0);
  });

  it('in production without authorize says how to open it, and so does the log at the start', async () => {
    const { NODE_ENV } = process.env;
    process.env.NODE_ENV = 'production';
    try {
      const logger = new CollectingLogger();
      await boot({ dashboard: {}, logger });
      const page = await fetch(`${url}/redlock`);
      expect(page.status).toBe(403);
      expect(await page.text()).toContain('give RedlockDashboardModule.forRoot the option authorize');
      expect(logger.lines.map(({ text }) => text).filter((text) => text.includes('dashboard'))).toEqual([
        expect.stringContaining('The dashboard at /redlock answers 403: NODE_ENV is production'),
      ]);
    } finally {
      process.env.NODE_ENV = NODE_ENV;
    }
  });

  it('outside production without authorize is open to this machine, and the log says so', async () => {
    const logger = new CollectingLogger();
    await boot({ dashboard: {}, logger });
    expect((await fetch(`${url}/redlock`)).status).toBe(200);
    expect((await fetch(`${url}/redlock`, { headers: { 'x-forwarded-for': '10.0.0.7' } })).status).toBe(403);
    expect((await post({ action: 'run', job: 'invoices' })).status).toBe(200);
    expect(logger.lines.map(({ text }) => text).filter((text) => text.includes('dashboard'))).toEqual([
      expect.stringContaining('The dashboard at /redlock is open to this machine only'),
    ]);
  });

  it('that may only be read shows everything, and does nothing', async () => {
    await boot({ dashboard: { authorize: () => Promise.resolve('read') } });
    expect((await firstEvent()).text).toContain('"mayAct":false');
    for (const action of ['pause', 'resume', 'run']) {
      expect(await answerOf(post({ action, job: 'invoices' }))).toEqual([
        403,
        { error: 'You may see this page, but not change anything.' },
      ]);
    }
    expect(jobs.calls).toEqual([]);
  });

  it('does nothing that it was not told by itself', async () => {
    await boot();
    const body = { action: 'run', job: 'invoices' };
    const foreign: Record<string, string>[] = [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { 'x-redlock-dashboard': '' },
      { cookie: '' },
      { cookie: `redlock-dashboard=${'f'.repeat(32)}` },
    ];
    for (const headers of foreign) {
      expect(await answerOf(post(body, headers))).toEqual([
        403,
        { error: expect.stringContaining('not sent by the page') },
      ]);
    }
    expect(jobs.calls).toEqual([]);
    expect((await post(body)).status).toBe(200);
  });

  it('gives a browser its token with the events, and not a second one', async () => {
    await boot();
    const [cookie = ''] = (await firstEvent()).headers.getSetCookie();
    expect(cookie).toMatch(/^redlock-dashboard=[0-9a-f]{32}; SameSite=Strict$/);
    expect((await firstEvent({ cookie })).headers.getSetCookie()).toEqual([]);
  });

  it('pauses, resumes and runs', async () => {
    await boot();
    expect(await answerOf(post({ action: 'pause', job: 'invoices', for: '2h', reason: 'storm' }))).toEqual([
      200,
      { done: 'pause' },
    ]);
    expect(await answerOf(post({ action: 'pause', job: 'invoices', for: '', reason: '' }))).toEqual([
      200,
      { done: 'pause' },
    ]);
    expect(await answerOf(post({ action: 'resume', job: 'invoices' }))).toEqual([200, { done: 'resume' }]);
    expect(await answerOf(post({ action: 'run', job: 'invoices' }))).toEqual([
      200,
      { done: 'run', outcome: 'succeeded' },
    ]);
    for (const action of ['pause', 'resume', 'run']) await post({ action, job: 'invoices', instance: 'second' });
    expect(jobs.calls).toEqual([
      ['pause', 'invoices', { for: '2h', reason: 'storm' }],
      ['pause', 'invoices', {}],
      ['resume', 'invoices', {}],
      ['runNow', 'invoices', {}],
      ['pause', 'invoices', { instance: 'second' }],
      ['resume', 'invoices', { instance: 'second' }],
      ['runNow', 'invoices', { instance: 'second' }],
    ]);
  });

  it('answers while a long run goes on, and logs where that fails later', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    await boot();
    let fail: (error: Error) => void = () => undefined;
    jobs.runsUntil = new Promise((_, reject) => (fail = reject));
    expect(await answerOf(post({ action: 'run', job: 'invoices' }))).toEqual([
      202,
      { done: 'run', outcome: 'running' },
    ]);
    fail(new Error('no paper'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(warn.mock.calls).toEqual([['A run of "invoices" that was started by hand failed: no paper']]);
  });

  it('says in JSON what went wrong, with the status of it', async () => {
    const log = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    await boot();
    const errors: [Error, number, RegExp][] = [
      [new LockContendedError(['invoices'], { owner: 'shop-2:9', remainingMs: 100 }, [], 'held'), 409, /shop-2:9/],
      [new QuorumUnreachableError('acquire', ['invoices'], 1, []), 503, /invoices/],
      [new RedlockShutdownError(['invoices']), 503, /shut/],
      [new InvalidOptionsError('for', 'takes a duration'), 400, /takes a duration/],
      [
        new Error('redis://user:hunter2@10.0.0.7'),
        500,
        /^It failed\. The log of the replica that answered says why\.$/,
      ],
    ];
    for (const [error, status, text] of errors) {
      jobs.error = error;
      expect(await answerOf(post({ action: 'pause', job: 'invoices' }))).toEqual([
        status,
        { error: expect.stringMatching(text) },
      ]);
    }
    expect(log).toHaveBeenCalledTimes(1);
    expect(await answerOf(post({ action: 'run', job: 'nothing' }))).toEqual([
      404,
      { error: expect.stringContaining('"nothing"') },
    ]);
  });

  it('tells a run that has failed from a run that has not begun, also where both have an error of this package', async () => {
    await boot();
    const contended = new LockContendedError(['paper'], { owner: 'shop-2:9', remainingMs: 100 }, [], 'held');
    const run = (): Promise<unknown> => answerOf(post({ action: 'run', job: 'invoices' }));
    for (const error of [new Error('no paper'), contended]) {
      jobs.runsUntil = Promise.reject(error);
      expect(await run()).toEqual([500, { error: `It has failed: ${error.message}` }]);
    }
    jobs.error = contended;
    expect(await run()).toEqual([409, { error: contended.message }]);
  });

  it('takes a body of JSON, of a few fields, that is not long', async () => {
    await boot();
    const job = 'invoices';
    const bad: [unknown, number, Record<string, string>?][] = [
      ['{"action":', 400],
      ['null', 400],
      ['[]', 400],
      ['{}', 400],
      [{ action: 'delete', job }, 400],
      [{ action: 'run' }, 400],
      [{ action: 'run', job: 7 }, 400],
      [{ action: 'run', job, reason: 'x' }, 400],
      [{ action: 'pause', job, for: 7 }, 400],
      [{ action: 'pause', job, for: 'soon' }, 400],
      [{ action: 'pause', job, reason: 'x'.repeat(201) }, 400],
      [{ action: 'pause', job, more: 1 }, 400],
      [{ action: 'pause', job, instance: 7 }, 400],
      [{ action: 'pause', job: 'x'.repeat(20_000) }, 413],
      [`action=run&job=${job}`, 415, { 'content-type': 'application/x-www-form-urlencoded' }],
      ['{"action":"run","job":"invoices"}', 415, { 'content-type': 'text/plain' }],
    ];
    for (const [body, status, headers] of bad) {
      const response = await post(body, headers);
      expect([body, response.status]).toEqual([body, status]);
    }
    expect(jobs.calls.filter(([, , options]) => (options as { for?: string } | undefined)?.for !== 'soon')).toEqual([]);
  });

  it('reads the body itself in an application without parsers', async () => {
    const { app: created, url: at } = await startDashboard({ jobs, platform, appOptions: { bodyParser: false } });
    app = created;
    url = at;
    expect(await answerOf(post({ action: 'resume', job: 'invoices' }))).toEqual([200, { done: 'resume' }]);
    expect((await post('{"action":')).status).toBe(400);
    expect((await post({ action: 'run', job: 'x'.repeat(20_000) })).status).toBe(413);
    const chunks = new ReadableStream({
      start(controller) {
        for (let part = 0; part < 10; part++) controller.enqueue(Buffer.from('"'.repeat(4096)));
        controller.close();
      },
    });
    const response = await fetch(`${url}/redlock/act`, {
      method: 'POST',
      headers: OWN,
      body: chunks,
      duplex: 'half',
    });
    expect(response.status).toBe(platform === 'Express' ? 413 : 400);
  });

  it('answers HEAD without an open stream', async () => {
    await boot();
    expect((await fetch(`${url}/redlock`, { method: 'HEAD' })).status).toBe(200);
    expect((await fetch(`${url}/redlock/events`, { method: 'HEAD' })).status).toBe(405);
  });

  it('does not keep the application from closing, nor go on reading for browsers that have gone', async () => {
    await boot();
    const open = await Promise.all(
      Array.from({ length: 3 }, () => new Promise((resolve) => httpRequest(`${url}/redlock/events`, resolve).end())),
    );
    expect(open).toHaveLength(3);
    await app?.close();
    const { list } = jobs.reads;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(jobs.reads.list).toBe(list);
  });

  it('shows the servers of each instance, and no password', async () => {
    await boot({
      imports: [
        RedlockTestingModule.forRoot(),
        RedlockModule.forRoot('redis://user:hunter2@127.0.0.1:1', { name: 'second', nodeTimeout: 50, isGlobal: false }),
      ],
    });
    const isRead = (text: string): boolean =>
      ['"servers":{"', '"notes":{"', '"jobs":{"'].every((part) => text.includes(part));
    const { text } = await readEvents(`${url}/redlock/events`, isRead);
    expect(text).toContain('"instance":"second"');
    expect(text).toContain('"server":"127.0.0.1:1","state":"down"');
    expect(text).not.toContain('hunter2');
  });

  it('takes authorize from a factory, with what it injects', async () => {
    await boot({
      dashboard: RedlockDashboardModule.forRootAsync({
        path: 'ops',
        imports: [],
        inject: [{ token: 'NOT_THERE', optional: true }],
        useFactory: (missing?: unknown) => ({
          authorize: () => {
            if (missing === undefined) throw new ForbiddenException('by the factory');
            return true;
          },
        }),
      }),
    });
    expect(await answerOf(fetch(`${url}/ops/page.js`))).toEqual([403, { error: 'by the factory' }]);
  });

  it('is closed to browsers without a password by the middleware of the documentation', async () => {
    @Module({ imports: [RedlockDashboardModule.forRoot({ authorize: () => true })] })
    class BasicModule implements NestModule {
      configure(consumer: MiddlewareConsumer): void {
        const ask = ({ headers }: IncomingMessage, response: ServerResponse, next: () => void): void => {
          if (headers.authorization === 'Basic YTpi') next();
          else response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="redlock"' }).end();
        };
        consumer.apply(ask).forRoutes('redlock', 'redlock/*path');
      }
    }
    await boot({ dashboard: { module: BasicModule } });
    for (const path of ['/redlock', '/redlock/page.js', '/redlock/events']) {
      const response = await fetch(url + path);
      expect([path, response.status, response.headers.get('www-authenticate')]).toEqual([
        path,
        401,
        'Basic realm="redlock"',
      ]);
    }
    expect((await post({ action: 'run', job: 'invoices' })).status).toBe(401);
    expect((await fetch(`${url}/redlock`, { headers: { authorization: 'Basic YTpi' } })).status).toBe(200);
    expect((await post({ action: 'run', job: 'invoices' }, { authorization: 'Basic YTpi' })).status).toBe(200);
  });

  it('needs no RedlockModule, and then shows nothing', async () => {
    await boot({ imports: [] });
    expect((await fetch(`${url}/redlock`)).status).toBe(200);
  });
});

describe('the options of the page', () => {
  it.each([
    [{ path: '' }, 'path'],
    [{ path: '/' }, 'path'],
    [{ path: '/a//b' }, 'path'],
    [{ path: '/a b' }, 'path'],
    [{ path: '/:id' }, 'path'],
    [{ path: '"><script>' }, 'path'],
    [{ path: 7 }, 'path'],
    [{ authorize: true }, 'authorize'],
    [{ authorise: () => true }, 'authorise'],
    [null, 'options'],
    [[], 'options'],
  ])('are refused by name: %j', (options, name) => {
    expect(() => RedlockDashboardModule.forRoot(options as never)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTIONS', option: name }),
    );
  });

  it('are refused by name from a factory, too, while the application starts', async () => {
    const dashboard = RedlockDashboardModule.forRootAsync({ useFactory: () => ({ authorize: 'me' }) as never });
    await expect(startDashboard({ jobs: new FakeJobs(), dashboard })).rejects.toThrow(InvalidOptionsError);
  });
});
