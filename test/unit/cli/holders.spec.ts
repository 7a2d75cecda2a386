import { describe, expect, it } from '@jest/globals';
import { holderCells, toJson } from '../../../lib/cli/holders.js';
import { summary } from '../../../lib/cli/inspect.js';
import { lockRow } from '../../../lib/dashboard/rows.js';
import type { LockInspection, ServerInspection } from '../../../lib/interfaces/index.js';

type Answer = Omit<ServerInspection, 'server'>;

const ours: Answer = { state: 'held', owner: 'web-1:42', token: 't', remainingMs: 9000, fencingToken: 7 };
const other: Answer = { ...ours, owner: 'web-2:42', token: 'u' };
const free: Answer = { state: 'free' };
const unknown: Answer = { state: 'unknown', cause: 'connect ECONNREFUSED' };

/** A key of which no holder is known to have a majority. */
function seen(...answers: Answer[]): LockInspection {
  const servers = answers.map((answer, index) => ({ server: `redis-${index + 1}:6379`, ...answer }));
  return { key: 'invoices', held: false, servers };
}

describe('P7: a lock of which too few servers have answered', () => {
  it.each<[string, LockInspection, string]>([
    ['one of three', seen(ours, unknown, unknown), '1 of 3 servers have one holder, and 2 have not answered'],
    [
      'one of three, and one is free',
      seen(ours, free, unknown),
      '1 of 3 servers have one holder, and 1 has not answered',
    ],
    ['two of five', seen(other, ours, ours, unknown, free), '2 of 5 servers have one holder, and 1 has not answered'],
    ['none of three', seen(free, unknown, unknown), '0 of 3 servers have one holder, and 2 have not answered'],
  ])('may be held: %s', (_, inspection, share) => {
    expect(summary(inspection)).toBe(`"invoices" may be held: ${share}.`);
    expect(toJson(inspection)).toMatchObject({ holder: 'unknown' });
    expect(holderCells(inspection)[3]).toBe(`${share.replace(' servers have one holder', '')}: it may be held`);
    expect(lockRow({}, inspection, 0)).toMatchObject({ held: false, unanswered: Number(/and (\d)/.exec(share)![1]) });
  });

  it.each<[string, LockInspection]>([
    ['the others are free', seen(ours, free, free)],
    ['two holders have one each of five', seen(ours, other, free, free, unknown)],
  ])('is not held where %s', (_, inspection) => {
    expect(summary(inspection)).toBe('"invoices" is not held: no holder has a majority of the servers.');
    expect(toJson(inspection)).toMatchObject({ holder: 'minority' });
    expect(holderCells(inspection)[3]).toMatch(/^1 of \d: no majority, so it is not held$/);
    expect(lockRow({}, inspection, 0)).not.toHaveProperty('unanswered');
  });

  it('is free where one server alone has not answered', () => {
    expect(summary(seen(free, free, unknown))).toBe('"invoices" is free on the servers that have answered.');
  });

  it('is held with a majority, whatever the others say, and counts the servers of its holder alone', () => {
    const held = { ...seen(other, ours, ours, ours, unknown), held: true, owner: 'web-1:42', remainingMs: 9000 };
    expect(toJson(held)).toMatchObject({ holder: 'majority' });
    expect(holderCells(held)[3]).toBe('3 of 5');
    expect(lockRow({}, held, 0)).toMatchObject({ held: true, owner: 'web-1:42', servers: 3, of: 5 });
    expect(lockRow({}, held, 0)).not.toHaveProperty('unanswered');
  });
});
