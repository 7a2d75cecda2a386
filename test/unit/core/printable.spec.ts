import { describe, expect, it } from '@jest/globals';
import { printable } from '../../../lib/core/printable.js';

describe('printable text', () => {
  it('is on one line and has no escape codes', () => {
    expect(printable('a\nb\rc\td\u001b[31me\u0000f\u0085g\u2028h')).toBe(
      'a\\nb\\rc\\td\\u001b[31me\\u0000f\\u0085g\\u2028h',
    );
  });

  it('has no half of a character, also where it was cut', () => {
    expect(printable('a\ud83d')).toBe('a\\ud83d');
    expect(printable('a\u{1f600}', 2)).toBe('a\\ud83d...');
  });

  it('does not turn the direction of writing', () => {
    expect(printable('a\u202eb')).toBe('a\\u202eb');
  });

  it('is cut', () => {
    expect(printable('x'.repeat(3_000_000))).toBe(`${'x'.repeat(200)}...`);
    expect(printable('abc', 3)).toBe('abc');
  });

  it('keeps every other character', () => {
    expect(printable('Zürich 東京 \u{1f600} "quoted" {tag}:1')).toBe('Zürich 東京 \u{1f600} "quoted" {tag}:1');
  });
});
