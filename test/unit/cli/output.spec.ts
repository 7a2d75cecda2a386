import { describe, expect, it } from '@jest/globals';
import { duration, Output } from '../../../lib/cli/output.js';
import type { Io } from '../../../lib/cli/io.js';
import { Secrets } from '../../../lib/redis/connection.js';

function outputTo(io: Partial<Io> = {}): { output: Output; written: () => string } {
  let text = '';
  const all = { env: {}, isTerminal: false, canAsk: false, out: (more: string) => void (text += more), ...io };
  return {
    output: new Output(
      { err: () => undefined, ask: () => Promise.resolve(''), ...all },
      new Secrets({ password: 's3cret"word' }),
    ),
    written: () => text,
  };
}

describe('the output', () => {
  it('has colours on a terminal only, and none with NO_COLOR', () => {
    const painted = (io: Partial<Io>): string => outputTo(io).output.paint('red', 'x');
    expect(painted({ isTerminal: true })).toBe('\u001b[31mx\u001b[0m');
    expect(painted({ isTerminal: true, env: { NO_COLOR: '' } })).toBe('\u001b[31mx\u001b[0m');
    expect(painted({ isTerminal: true, env: { NO_COLOR: '1' } })).toBe('x');
    expect(painted({ isTerminal: false })).toBe('x');
  });

  it('P16: has no password, in text or in JSON, which would write it with escapes', () => {
    const { output, written } = outputTo();
    output.line('the server says s3cret"word');
    output.table([['a s3cret"word']]);
    output.json({ deep: ['s3cret"word'] });
    expect(written()).not.toMatch(/s3cret/);
    expect(written().match(/\*\*\*/g)).toHaveLength(3);
  });

  it('writes JSON that a terminal cannot take for commands, and that is read back as it was', () => {
    const value = { key: 'a\u009b31m\u202e\u2028\u007f\n\u001b[2J', number: Infinity };
    const { output, written } = outputTo();
    output.json(value);
    expect(written()).toMatch(/^[ -~\n]*$/);
    expect(JSON.parse(written())).toEqual({ ...value, number: null });
  });

  it('aligns columns', () => {
    const { output, written } = outputTo();
    output.table([
      ['A', 'LONGER', 'C'],
      ['long text', 'b', ''],
    ]);
    expect(written()).toBe('A          LONGER  C\nlong text  b\n');
  });

  it.each<[number | undefined, string]>([
    [undefined, '-'],
    [Infinity, 'never expires'],
    [999.4, '999 ms'],
    [8210, '8.2 s'],
    [600_000, '10 min'],
    [86_400_000, '24 h'],
  ])('says %s as %s', (ms, text) => {
    expect(duration(ms)).toBe(text);
  });
});
