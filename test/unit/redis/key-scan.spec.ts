import { describe, expect, it } from '@jest/globals';
import type { Connection } from '../../../lib/redis/connection.js';
import { literal, scanKeys, type ScanRules } from '../../../lib/redis/key-scan.js';
import { clockOffsetMs } from '../../../lib/redis/server-clock.js';
import { SystemClock } from '../../../lib/system/system-clock.js';

/** A server that gives these pages, one a call, and then for ever the last. */
function pages(...replies: unknown[]): Pick<Connection, 'send'> & { readonly calls: unknown[][] } {
  const calls: unknown[][] = [];
  return {
    calls,
    send: (command, args, onReply) => {
      calls.push([command, ...args]);
      onReply(replies[Math.min(calls.length, replies.length) - 1]);
    },
  };
}

const rules: ScanRules = { pattern: '*', kindOf: (name) => name[0], limit: 3, mostCalls: 5, timeoutMs: 100 };
const clock = new SystemClock();

describe('a scan', () => {
  it('goes by the cursor, with a count, and drops what comes twice', async () => {
    const server = pages(['7', ['a1', 'a2']], ['9', ['a2']], ['0', ['b1']]);
    const { names, isComplete } = await scanKeys(server, clock, rules);
    expect([[...names], isComplete]).toEqual([['a1', 'a2', 'b1'], true]);
    expect(server.calls.map(([command, cursor, ...rest]) => [command, cursor, rest.join(' ')])).toEqual([
      ['scan', '0', 'MATCH * COUNT 1000'],
      ['scan', '7', 'MATCH * COUNT 1000'],
      ['scan', '9', 'MATCH * COUNT 1000'],
    ]);
  });

  it('ends at the limit of one kind, and at the most calls', async () => {
    const many = await scanKeys(pages(['7', ['a1', 'b1', 'a2', 'a3', 'a4', 'b2']]), clock, rules);
    expect([[...many.names], many.isComplete]).toEqual([['a1', 'b1', 'a2', 'a3'], false]);
    const endless = pages(['7', []]);
    expect(await scanKeys(endless, clock, rules)).toEqual({ names: new Set(), isComplete: false });
    expect(endless.calls).toHaveLength(5);
  });

  it('P17: refuses what is no reply of SCAN, and a server that does not answer', async () => {
    for (const reply of [undefined, 'x', ['0'], ['0', 'x']]) {
      await expect(scanKeys(pages(reply ?? 1), clock, rules)).rejects.toThrow('not one of SCAN');
    }
    const silent = { send: () => undefined };
    await expect(scanKeys(silent, clock, { ...rules, timeoutMs: 5 })).rejects.toThrow('no answer within 5 ms');
    expect(await scanKeys(pages(['0', [1, null, 'a']]), clock, rules)).toEqual({
      names: new Set(['a']),
      isComplete: true,
    });
  });

  it('takes a prefix for what it is', () => {
    expect(literal(String.raw`a*b?[c]\d`)).toBe(String.raw`a\*b\?\[c\]\\d`);
  });
});

describe('the clock of a server', () => {
  it('is compared half way between question and answer', async () => {
    let nowMs = 100;
    const here = { nowMs: () => nowMs, wallMs: () => 5_000_000 };
    const server = {
      send: (_: string, __: unknown, onReply: (reply: unknown) => void) => {
        nowMs += 40;
        onReply(['5002', '20000']);
      },
    };
    expect(await clockOffsetMs(server, here as unknown as SystemClock)).toBe(2000);
  });

  it('P17: is not known from a reply that is not one of TIME', async () => {
    for (const reply of ['now', [], ['x', '1'], ['1']]) {
      await expect(clockOffsetMs(pages(reply), clock)).rejects.toThrow('not one of TIME');
    }
  });
});
