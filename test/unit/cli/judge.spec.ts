import { describe, expect, it } from '@jest/globals';
import { ADVICE } from '../../../lib/cli/doctor/advice.js';
import type { Examination } from '../../../lib/cli/doctor/examine.js';
import { judge } from '../../../lib/cli/doctor/judge.js';
import type { ServerHealth } from '../../../lib/interfaces/index.js';
import { parseInfo } from '../../../lib/redis/server-info.js';

const INFO = 'redis_version:7.2.4\r\nuptime_in_seconds:90000\r\naof_enabled:1\r\nrole:master\r\n';

function server(name: string, health: Partial<ServerHealth> = {}, rest: Partial<Examination> = {}): Examination {
  return {
    health: { server: name, state: 'ready', since: new Date(0), latencyMs: 1, warnings: [], ...health },
    ...{ info: parseInfo(INFO), offsetMs: 3, marker: { isThere: true }, ...rest },
  };
}

const three = (third: Examination): Examination[] => [server('a'), server('b'), third];
const codesOf = (servers: readonly Examination[]): string[] => judge(servers).findings.map(({ code }) => code);

describe('the doctor', () => {
  it('finds nothing where all is well', () => {
    expect(judge(three(server('c')))).toEqual({ findings: [], sound: 3, needed: 2, exitCode: 0 });
  });

  it('ends with 1 while a majority can be counted on, and with 2 when not', () => {
    const down = { state: 'down', reason: 'connect ECONNREFUSED' } as const;
    expect(judge(three(server('c', down)))).toMatchObject({
      sound: 2,
      exitCode: 1,
      findings: [{ code: 'unreachable', server: 'c' }],
    });
    expect(judge([server('a'), server('b', down), server('c', down)])).toMatchObject({ sound: 1, exitCode: 2 });
  });

  it('does not count a server on that may evict locks, although it votes', () => {
    const warnings = [{ code: 'may-evict', message: '' }] as const;
    const info = parseInfo(`${INFO}maxmemory:100\r\nmaxmemory_policy:allkeys-lru\r\n`);
    const evicting = (name: string): Examination => server(name, { warnings }, { info });
    expect(judge([server('a'), evicting('b'), evicting('c')])).toMatchObject({ sound: 1, exitCode: 2 });
    expect(judge(three(evicting('c'))).findings[0]?.what).toBe(
      'may evict locks when its memory is full (maxmemory-policy allkeys-lru)',
    );
  });

  it.each<[string, Partial<ServerHealth>, Partial<Examination>, string[]]>([
    ['a step of the trial that is refused', {}, { trial: { step: 'extend', message: 'NOPERM no' } }, ['no-permission']],
    [
      'a script that answers something else',
      {},
      { trial: { step: 'inspect', message: 'the lock script answered "absent"' } },
      ['no-scripts'],
    ],
    ['channels that are not allowed', {}, { channels: 'no subscription' }, ['no-channels']],
    ['a server that never got ready', { state: 'connecting', reason: 'not connected yet' }, {}, ['silent']],
    ['a quarantine', { state: 'quarantined', reason: 'may have forgotten locks' }, {}, ['quarantined']],
    [
      'the address of a Sentinel',
      { state: 'refusing', reason: 'is a Sentinel, which keeps no locks: give { sentinels, name } instead' },
      {},
      ['sentinel'],
    ],
    ['an unknown refusal', { state: 'refusing', reason: 'ERR strange' }, {}, ['refuses']],
    [
      'a database that is not there',
      { state: 'refusing', reason: 'does not vote, because database 99 cannot be selected: ERR' },
      {},
      ['database'],
    ],
    ['slow answers', { latencyMs: 400 }, {}, ['slow']],
    ['an old version', {}, { info: parseInfo(INFO.replace('7.2.4', '6.2.14')) }, ['old-version']],
    [
      'a restart without a file',
      {},
      { info: parseInfo('redis_version:8.0\r\nuptime_in_seconds:5\r\naof_enabled:0') },
      ['restarted'],
    ],
    ['no marker', {}, { marker: { isThere: false } }, ['no-marker']],
    ['a loss of data lately', {}, { lostForMs: 5000 }, ['lost-data']],
    ['a loss of data long ago', {}, { lostForMs: 500_000 }, []],
  ])('finds %s', (_, health, rest, codes) => {
    expect(codesOf(three(server('c', health, rest)))).toEqual(codes);
  });

  it('says of each warning of the module what it means', () => {
    const warnings: ServerHealth['warnings'] = [
      { code: 'not-inspected', message: 'does not answer INFO, so its restarts may go unnoticed: NOPERM: no info' },
      { code: 'cluster-node', message: '' },
      { code: 'no-append-only-file', message: '' },
      { code: 'fencing-counter', message: 'holds "x"' },
    ];
    const { findings } = judge(three(server('c', { warnings })));
    expect(findings.map(({ code }) => code)).toEqual(warnings.map(({ code }) => code));
    expect(findings[0]?.what).toBe('does not answer INFO (NOPERM: no info)');
  });

  it.each<[string, number[], string[]]>([
    ['clocks that agree', [0, 400, -400], []],
    ['one clock that is wrong', [10, 20, 5000], ['clock c']],
    ['clocks a second apart on both sides', [-600, 0, 600], ['clock a', 'clock c']],
    ['the clock of this machine', [5000, 5010, 4990], ['clock-here ']],
    ['both', [-5000, -5000, 0], ['clock c', 'clock-here ']],
    ['a server whose clock is not known', [0, NaN, 0], []],
  ])('compares clocks: %s', (_, offsets, found) => {
    const servers = ['a', 'b', 'c'].map((name, index) => {
      const offsetMs = offsets[index];
      return server(name, {}, { offsetMs: Number.isNaN(offsetMs) ? undefined : offsetMs });
    });
    expect(judge(servers).findings.map(({ code, server: name = '' }) => `${code} ${name}`)).toEqual(found);
  });

  it('says of two clocks which is ahead, and of this machine whether it is', () => {
    const [finding] = judge(three(server('c', {}, { offsetMs: 5003 }))).findings;
    expect(finding?.what).toBe('has another time of day than the other servers (5.0 s ahead)');
    const here = judge([server('a', {}, { offsetMs: -2000 })]).findings.find(({ code }) => code === 'clock-here');
    expect(here?.what).toBe('The clock of this machine is not that of the servers (2.0 s ahead)');
  });

  it('gives three parts of advice for each code, without a full stop', () => {
    for (const [code, { what, means, todo }] of Object.entries(ADVICE)) {
      for (const part of [what, means, todo])
        expect([code, part]).toEqual([code, expect.stringMatching(/^\S.*[^.\s]$/)]);
    }
  });
});
