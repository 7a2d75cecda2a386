import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EventSource } from '../../../lib/client/event-source.js';
import { EventLog, type LineWriter } from '../../../lib/client/log.js';
import * as clientMessages from '../../../lib/client/messages.js';
import * as pageMessages from '../../../lib/dashboard/messages.js';
import { LockLostError } from '../../../lib/core/errors/index.js';
import { faultIn } from '../../../lib/redis/server-faults.js';
import { assess, type Facts } from '../../../lib/redis/server-status.js';
import * as messages from '../../../lib/redlock.messages.js';
import { codesIn, rowsBelow, type Row } from '../../support/pages.js';
import { VirtualClock } from '../../support/virtual-clock.js';

const PAGE = 'docs/operations/log-lines.md';
const TEXT = readFileSync(PAGE, 'utf8');
const HEADINGS = [...TEXT.matchAll(/^## .*$/gm)].map(([heading]) => heading);
const LINES = HEADINGS.flatMap((heading) => rowsBelow(PAGE, heading)).flatMap(([first]) => codesIn(first).slice(0, 1));

/** What a line of the page stands for: `...` is what differs. */
function toPattern(line: string): RegExp {
  const parts = line.split('...').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join('[^]*')}$`);
}

const PATTERNS = LINES.map(toPattern);
const isOnPage = (line: string): boolean => PATTERNS.some((pattern) => pattern.test(line));

type Messages<T> = Record<keyof T, readonly string[]>;

const {
  NOT_READY,
  CANNOT_LOCK,
  NO_MODULE,
  BAD_SCHEDULE,
  KEY_FUNCTION,
  DETACHED,
  NOT_BEGUN,
  SAME_JOB,
  DROPPED_LOCK,
  COMMITS_LATE,
  LONG_TTL,
  UNKNOWN_SCHEDULER,
  REGISTERED_TWICE,
  TELEMETRY_TWICE,
  UNKNOWN_JOB,
  AMBIGUOUS_JOB,
  KEY_CHANGES,
  KEY_UNKNOWN,
  NO_REGISTER,
  NOT_CALLED,
  RUN_FAILED,
} = messages;

/** Each message, as it may be. A new one does not compile here before it has a line. */
const OF_MODULE: Messages<Omit<typeof messages, 'CONTEXT'>> = {
  NOT_READY: [NOT_READY('Jobs.run')],
  CANNOT_LOCK: [CANNOT_LOCK('Jobs.run', 'its host is frozen.')],
  NO_MODULE: [NO_MODULE(undefined), NO_MODULE('second')],
  BAD_SCHEDULE: [BAD_SCHEDULE({ cronTime: '* *' }, new Error('Too few fields'))],
  KEY_FUNCTION: [KEY_FUNCTION('Jobs.run', 'takes a key')],
  DETACHED: [DETACHED('Jobs.run')],
  NOT_BEGUN: [NOT_BEGUN('Jobs.run')],
  SAME_JOB: [SAME_JOB('mails', 'Jobs.one', 'Jobs.other'), SAME_JOB('mails', 'Jobs.one', 'Jobs.one')],
  DROPPED_LOCK: [DROPPED_LOCK('Jobs.run', 'Own.run')],
  COMMITS_LATE: [COMMITS_LATE('Jobs.run')],
  LONG_TTL: [LONG_TTL('Jobs.run', 10_000, 1000)],
  UNKNOWN_SCHEDULER: [UNKNOWN_SCHEDULER],
  REGISTERED_TWICE: [REGISTERED_TWICE(undefined, []), REGISTERED_TWICE('second', ['AppModule'])],
  TELEMETRY_TWICE: [TELEMETRY_TWICE],
  UNKNOWN_JOB: [UNKNOWN_JOB('mail', []), UNKNOWN_JOB('mail', ['mails'])],
  AMBIGUOUS_JOB: [AMBIGUOUS_JOB('mails', 'Jobs.one', 'Jobs.other')],
  KEY_CHANGES: [KEY_CHANGES('Jobs.run')],
  KEY_UNKNOWN: [KEY_UNKNOWN('Jobs.run')],
  NO_REGISTER: [NO_REGISTER('Jobs.run')],
  NOT_CALLED: [NOT_CALLED('Jobs.run')],
  RUN_FAILED: [RUN_FAILED('Jobs.run', 'Why.')],
};

const {
  DIFFERENT_SHARDS,
  WAITS_FOR_ITSELF,
  WAITED_FOR_ITSELF,
  NOT_COVERED,
  LEFT_BEHIND,
  RELEASE_FAILED,
  SHUTDOWN_TIMEOUT,
  SERVERS,
} = clientMessages;

const OF_CLIENT: Messages<typeof clientMessages> = {
  DIFFERENT_SHARDS: [DIFFERENT_SHARDS('one', 'other')],
  WAITS_FOR_ITSELF: [WAITS_FOR_ITSELF(['key'], 'Jobs.run')],
  WAITED_FOR_ITSELF: [WAITED_FOR_ITSELF(['key'])],
  NOT_COVERED: [NOT_COVERED(['one'], ['other'])],
  LEFT_BEHIND: [LEFT_BEHIND(['key'], 'Why.')],
  RELEASE_FAILED: [RELEASE_FAILED('Why.')],
  SHUTDOWN_TIMEOUT: [SHUTDOWN_TIMEOUT(3, 10_000)],
  SERVERS: [1, 2, 3, 4, 5].map((count) => SERVERS(count).message),
};

const { BOOT_CLOSED, BOOT_LOCAL, AUTHORIZE_FAILED, RUN_BY_HAND_FAILED, BUTTON_FAILED } = pageMessages;

/** Those that go to the log. The others are on the page. */
const OF_DASHBOARD = {
  BOOT_CLOSED: [BOOT_CLOSED('/jobs')],
  BOOT_LOCAL: [BOOT_LOCAL('/jobs')],
  AUTHORIZE_FAILED: [AUTHORIZE_FAILED('Why.')],
  RUN_BY_HAND_FAILED: [RUN_BY_HAND_FAILED('mails', 'Why.')],
  BUTTON_FAILED: [BUTTON_FAILED('Why.')],
};

const COUNT = { voting: 2, servers: 3, needed: 2 };
const ABOUT = { keys: ['job'], owner: 'web-1:1', method: 'Jobs.run', job: 'job', tick: new Date(0), fencingToken: 1 };

/** All that the log of a client writes. */
function linesOf(emit: (events: EventSource) => void): string[] {
  const lines: string[] = [];
  const write = (line: string): void => {
    lines.push(line);
  };
  const writer: LineWriter = { log: write, warn: write, error: write, debug: write };
  const events = new EventSource();
  new EventLog(events, writer, new VirtualClock());
  emit(events);
  return lines;
}

/** The words for a server in each of its states, as the code makes them. */
function serverTexts(): { readonly state: 'ready' | 'down' | 'silent' | 'refusing' | 'quarantined'; text: string }[] {
  const facts: Facts = {
    connection: { status: 'ready' },
    verdict: { state: 'ready' },
    silence: undefined,
    refusal: undefined,
    guard: { leftMs: () => 0, longestLeftMs: 0, loss: '' },
  };
  const all: Partial<Facts>[] = [
    {},
    { connection: { status: 'down', cause: new Error('connect ECONNREFUSED') } },
    { silence: 'no answer for 1000 ms' },
    { refusal: new Error('OOM') },
    ...losses().map((loss) => ({ guard: { leftMs: () => 9000, longestLeftMs: 9000, loss } })),
  ];
  return [
    ...all.map((some) => assess({ ...facts, ...some }) as ReturnType<typeof serverTexts>[number]),
    ...verdictTexts().map((text) => ({ state: 'refusing' as const, text })),
  ];
}

/** How the guard names a loss of data: the texts that it notes. */
function losses(): string[] {
  const source = readFileSync('lib/redis/restart-guard.ts', 'utf8');
  const noted = [...source.matchAll(/#note\([^;]*?;/g)].flatMap(([call]) => [...call.matchAll(/'([^']+)'/g)]);
  return noted.map(([, text = '']) => text);
}

/** Why an inspected server does not vote: the texts of `no(...)` and those with a cause. */
function verdictTexts(): string[] {
  const source = readFileSync('lib/redis/server-inspection.ts', 'utf8');
  const texts = [...source.matchAll(/(?:no\('\w+', |text = |text: )(['`])(.*?)\1/g)].map(([, , text = '']) => text);
  return texts.map((text) => text.replaceAll(/\$\{[^}]+\}/g, 'x'));
}

describe('docs/operations/log-lines.md', () => {
  const all = { ...OF_MODULE, ...OF_CLIENT, ...OF_DASHBOARD };

  it.each(Object.keys(all) as (keyof typeof all)[])('has the message %s', (name) => {
    expect(all[name].filter((line) => !isOnPage(line))).toEqual([]);
  });

  it('has the lines about servers', () => {
    expect(losses().length).toBeGreaterThanOrEqual(4);
    expect(verdictTexts().length).toBeGreaterThanOrEqual(5);
    for (const { state, text } of serverTexts()) {
      const lines = linesOf((events) => {
        const event = { server: 'redis-1:6379', previous: 'down' as const, notVotingMs: 1000, quarantineMs: 9000 };
        events.emit('serverState', { ...COUNT, ...event, state, message: text });
        events.emit('serverState', { ...COUNT, ...event, state, message: text, tickQuarantineMs: 60_000 });
      });
      expect(lines).toHaveLength(2);
      expect(lines.filter((line) => !isOnPage(line))).toEqual([]);
    }
  });

  it('has the lines about the quorum', () => {
    const lines = linesOf((events) => {
      for (const shard of [{}, { shard: 1 }]) {
        events.emit('quorumLost', { ...COUNT, ...shard });
        events.emit('quorumRegained', { ...COUNT, ...shard, lostForMs: 1000 });
      }
    });
    expect(lines).toHaveLength(4);
    expect(lines.filter((line) => !isOnPage(line))).toEqual([]);
  });

  it('has the lines about jobs and locks', () => {
    const lines = linesOf((events) => {
      for (const reason of ['locked', 'already-ran', 'undecided', 'paused', 'closing'] as const) {
        events.emit('skipped', { ...ABOUT, reason, message: 'Why.' });
      }
      const run = { ...ABOUT, trigger: 'schedule', durationMs: 5 } as const;
      events.emit('jobSucceeded', run);
      events.emit('jobFailed', { ...run, error: new Error('No.'), outcome: 'failed' });
      events.emit('jobOverdue', { ...ABOUT, byMs: 5000, reason: 'missed' });
      for (const reason of ['expired', 'taken'] as const) {
        const { message } = new LockLostError(['job'], reason);
        events.emit('lost', { ...ABOUT, reason, message, heldMs: 5, hadWork: true, votes: [] });
      }
      events.on('released', () => {
        throw new Error('No.');
      });
      events.emit('released', { ...ABOUT, heldMs: 5 });
    });
    expect(lines).toHaveLength(11);
    expect(lines.filter((line) => !isOnPage(line))).toEqual([]);
  });

  it('has the code of each warning', () => {
    const sources = ['lib/client', 'lib/redis'].flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.ts'))
        .map((file) => readFileSync(join(folder, file), 'utf8')),
    );
    const codes = new Set(
      sources.flatMap((source) => [...source.matchAll(/\bcode: '([a-z-]+)'/g)].map(([, code = '']) => code)),
    );
    expect(codes.size).toBeGreaterThanOrEqual(13);
    expect([...codes].filter((code) => !TEXT.includes(`\`${code}\``))).toEqual([]);
  });

  it('has each fault of a server, by words that the code takes for it', () => {
    const rows = rowsBelow(PAGE, '## Reasons');
    const wrong = rows.flatMap(([words, code]: Row) =>
      codesIn(words)
        .map((word) => [word, faultIn(word, 'unreachable'), ...codesIn(code)])
        .filter(([, found, said]) => found !== said),
    );
    expect(wrong).toEqual([]);
    const known = [...readFileSync('lib/redis/server-faults.ts', 'utf8').matchAll(/, '([a-z-]+)'\],/g)];
    const codes = [...known.map(([, code = '']) => code), 'unreachable', 'refuses'];
    expect(codes.length).toBeGreaterThan(20);
    expect(rows.flatMap(([, code]) => codesIn(code)).toSorted()).toEqual(codes.toSorted());
  });

  it('would notice a line that is missing', () => {
    expect(isOnPage('The server is on fire.')).toBe(false);
  });
});
