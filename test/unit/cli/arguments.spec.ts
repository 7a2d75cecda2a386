import { describe, expect, it } from '@jest/globals';
import { readArguments, UsageError } from '../../../lib/cli/arguments.js';
import { commandLine } from '../../support/command-line.js';

const URL_WITH_PASSWORD = 'redis://:s3cret-word@127.0.0.1:1';

describe('a command line', () => {
  it('is a command, its key where it takes one, and the servers', () => {
    const defaults = {
      json: false,
      yes: false,
      ticks: false,
      prefix: 'redlock:',
      limit: 1000,
      timeoutMs: 5000,
      reason: '',
    };
    expect(readArguments(['doctor', 'a:1', 'b:2'])).toEqual({
      ...defaults,
      command: 'doctor',
      key: '',
      urls: ['a:1', 'b:2'],
    });
    expect(readArguments(['inspect', 'k'])).toEqual({ ...defaults, command: 'inspect', key: 'k', urls: [] });
    expect(
      readArguments([
        'release',
        '-y',
        'k',
        'a:1',
        '--json',
        '--prefix=shop:',
        '--timeout',
        '250',
        '--limit=7',
        '--ticks',
      ]),
    ).toEqual({
      ...{ command: 'release', key: 'k', urls: ['a:1'], json: true, yes: true, ticks: true, prefix: 'shop:', limit: 7 },
      timeoutMs: 250,
      reason: '',
    });
    expect(readArguments(['pause', 'job', '--for', '2h', '--reason', 'stock-taking'])).toMatchObject({
      ...{ command: 'pause', key: 'job', forMs: 7_200_000, reason: 'stock-taking' },
    });
    expect(readArguments(['resume', 'job', '--key', 'b', '--key', 'a'])).toMatchObject({ lockKeys: ['b', 'a'] });
    expect(readArguments(['locks', '--timeout', '2s'])).toMatchObject({ timeoutMs: 2000 });
    expect([readArguments(['-h']), readArguments(['doctor', '--help']), readArguments(['-v'])]).toEqual([
      'help',
      'help',
      'version',
    ]);
  });

  it.each<[string, string[], RegExp]>([
    ['no command', [], /^a command is missing: doctor, locks, inspect, release, jobs, history, pause, resume, run$/],
    ['another command', ['keys'], /^the first word is none of the commands/],
    ['a URL in the place of a command', [URL_WITH_PASSWORD], /^the first word is none of the commands/],
    ['no key', ['inspect'], /^inspect takes a key first/],
    ['a URL in the place of a key', ['release', URL_WITH_PASSWORD], /^release takes a key before the servers/],
    ['no job', ['pause'], /^pause takes the name of a job first/],
    ['an unknown option', ['doctor', '--fix'], /^Unknown option '--fix'/],
    ['a URL in an option', ['doctor', `--${URL_WITH_PASSWORD}`], /^an option is not known$/],
    ['a URL as the value of a flag', ['doctor', `--json=${URL_WITH_PASSWORD}`], /^Option '--json' does not take/],
  ])('that has %s is refused, without a password in the message', (_, argv, message) => {
    const read = (): unknown => readArguments(argv);
    expect(read).toThrow(UsageError);
    expect(read).toThrow(message);
    expect(read).not.toThrow(/s3cret/);
  });

  it.each([
    ['--for', '0'],
    ['--for', 'ever'],
    ['--reason', 'x'.repeat(201)],
    ['--limit', '0'],
    ['--limit', 'many'],
    ['--timeout', '0'],
    ['--timeout', 'soon'],
  ])('P16: %s %s is refused by name', (option, value) => {
    expect(() => readArguments(['locks', option, value])).toThrow(new RegExp(`^${option}: takes `));
  });
});

describe('the command', () => {
  it('says how it is used, and its version', async () => {
    expect(await commandLine(['--version'])).toEqual({ code: 0, out: '1.2.3\n', err: '' });
    const { code, out } = await commandLine(['--help']);
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(/doctor.*locks.*inspect.*release.*REDLOCK_TLS_CA.*NO_COLOR/s),
    ]);
  });

  it.each<[string, string[], Record<string, string>, RegExp]>([
    ['no servers', ['doctor'], {}, /no servers: name them as arguments, or in REDLOCK_SERVERS/],
    ['a URL that is none', ['doctor', 'a:1', 'http://:s3cret-word@b'], {}, /servers\[1\]: takes a redis:\/\//],
    ['a password that is not encoded', ['locks', 'redis://:s3cret-word#@b:1'], {}, /percent-encoded/],
    [
      'a file that is not there',
      ['locks', 'a:1'],
      { REDLOCK_TLS_CA: '/s3cret-word/ca.pem' },
      /^redlock-nestjs: REDLOCK_TLS_CA .* ENOENT/,
    ],
    ['a key that is none', ['inspect', '', 'a:1'], {}, /key: takes a string that is not empty/],
  ])('ends with 2 for %s, and with --json says so in JSON', async (_, argv, env, message) => {
    const text = await commandLine([...argv, '--timeout', '1'], { env });
    expect([text.code, text.out, text.err]).toEqual([2, '', expect.stringMatching(message)]);
    const json = await commandLine([...argv, '--timeout', '1', '--json'], { env });
    expect([json.code, json.err]).toEqual([2, '']);
    const { error } = JSON.parse(json.out) as { error: { code: string; message: string } };
    expect(`redlock-nestjs: ${error.message}`).toMatch(message);
    expect(error.code).toMatch(/^(USAGE|INVALID_OPTIONS)$/);
    expect(text.err + json.out).not.toContain('s3cret');
  });
});
