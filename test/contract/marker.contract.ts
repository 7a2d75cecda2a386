import { beforeEach, expect, it } from '@jest/globals';
import type { NodeReply } from '../../lib/core/ports/lock-node.js';
import { encode } from '../../lib/redis/lock-script-codec.js';
import { decode } from '../../lib/redis/lock-script-reply.js';
import { LOCK_SCRIPT } from '../../lib/redis/scripts/lock.script.js';
import type { HostileSubject } from './hostile-values.contract.js';

/** A server that the lock script can be sent to as it is. */
export interface MarkedSubject extends HostileSubject {
  run(args: readonly (string | number)[]): Promise<unknown>;
}

const KEY = '{redlock:}:marker';

/** What the lock script does about the marker, for processes that know this of it. */
export function markerContract(subject: () => MarkedSubject): void {
  beforeEach(() => subject().flush());

  const claims = [{ key: 'k', ttlMs: 5000 }];
  const look = async (expected: string | undefined, proposal: string, lost = false): Promise<unknown> => {
    const reply = await subject().run(encode(LOCK_SCRIPT.source, [], { key: KEY, expected, lost, proposal }));
    return (reply as unknown[])[0];
  };
  const vote = async (expected: string | undefined, lost = false): Promise<NodeReply['outcome']> => {
    const acquire = { kind: 'acquire', token: `t${Math.random()}`, owner: 'o', claims } as const;
    const reply = await subject().run(
      encode(LOCK_SCRIPT.source, [acquire], { key: KEY, expected, lost, proposal: 'new' }),
    );
    return decode(acquire, (reply as unknown[])[1]).outcome;
  };
  const stamped = (proposal: string): unknown => expect.stringMatching(new RegExp(`^${proposal}@\\d{13}$`));

  it('P12: the first marker of a server says nothing of a loss, and stays', async () => {
    expect(await look(undefined, 'a')).toBe('a');
    expect(await look(undefined, 'b')).toBe('a');
    expect(await look('a', 'c')).toBe('a');
    expect(await vote('a')).toBe('granted');
  });

  it('P12: a process that finds no marker where there was one leaves when that was, and another that starts hears how long ago', async () => {
    const shown = await look('before', 'a');
    expect(shown).toEqual(stamped('a'));
    await subject().pass(50);
    const [marker, agoMs] = (await look(undefined, 'b')) as [string, number];
    expect(marker).toBe(shown);
    expect(agoMs).toBeGreaterThanOrEqual(49);
    expect(agoMs).toBeLessThan(10_000);
    expect(await look(marker, 'c')).toBe(shown);
    expect(await vote(marker)).toBe('granted');
  });

  it('P12: so does one that finds the marker of a process that had just started; a third one lets that be', async () => {
    expect(await look(undefined, 'newcomer')).toBe('newcomer');
    expect(await vote('before')).toBe('failed');
    const shown = await look('newcomer', 'b');
    expect(shown).toEqual(stamped('new'));
    expect(await look('before', 'c')).toBe(shown);
    expect(await look('newcomer', 'd', true)).toBe(shown);
  });

  it('P12: a marker of an earlier loss than the one that is known has come back with a snapshot, and is replaced', async () => {
    await subject().write(KEY, 'a@1000');
    const shown = await look('b@2000', 'c');
    expect(shown).toEqual(stamped('c'));
    expect(await look('b@2000', 'd')).toBe(shown);
    await subject().write(KEY, 'e@3000');
    expect(await look('b@2000', 'f')).toBe('e@3000');
  });

  it('P12: a process that knows of a loss by other means has the marker changed once', async () => {
    await subject().write(KEY, 'a');
    expect(await vote('a', true)).toBe('failed');
    const shown = await look('a', 'b', true);
    expect(shown).toEqual(stamped('new'));
    expect(await look('a', 'c', true)).toBe(shown);
    expect(await look(String(shown), 'd', true)).toEqual(stamped('d'));
  });

  it('P12: a clock that was set back makes a loss one of now; what is no time is none', async () => {
    await subject().write(KEY, 'a@999999999999999');
    expect(await look(undefined, 'b')).toEqual(['a@999999999999999', 0]);
    for (const text of ['a@', '@x', 'a@1 ', `a@${'9'.repeat(16)}`, 'a@-1']) {
      await subject().write(KEY, text);
      expect(await look(undefined, 'b')).toBe(text);
    }
  });

  it('P12: something else than a text in the place of the marker is a loss', async () => {
    await subject().write(KEY, { list: 'a' });
    expect(await look('a', 'b')).toEqual(stamped('b'));
  });
}
