import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

const TEXT = readFileSync('docs/SAFETY.md', 'utf8');

/** A file of tests, and names in it, with what may stand between two names. */
const PLACE = /`((?:test|lib\/contract)\/[^`]+\.ts)`((?:[\s,;]+(?:and\s+)?"[^"]+")*)/g;

const places = [...TEXT.matchAll(PLACE)].map(([, file = '', names = '']) => ({
  file,
  names: [...names.matchAll(/"([^"]+)"/g)].map(([, name = '']) => name.replaceAll(/\s+/g, ' ')),
}));

describe('docs/SAFETY.md', () => {
  it('has each promise, and a test for it', () => {
    const promises = TEXT.split(/^\*\*(?=P\d+ )/m).slice(1);
    const shown = promises.map((text) => [/^P\d+/.exec(text)?.[0], text.includes('*Shown by* `test/')]);
    const all = [...Array.from({ length: 17 }, (_, index) => index + 1), 19, 20].map((number) => [`P${number}`, true]);
    expect(shown).toHaveLength(all.length);
    expect(shown).toEqual(expect.arrayContaining(all));
  });

  it('names tests that exist', () => {
    expect(places.length).toBeGreaterThan(30);
    const missing = places.flatMap(({ file, names }) => {
      const tests = existsSync(file) ? readFileSync(file, 'utf8') : '';
      return names.filter((name) => !tests.includes(name)).map((name) => `${file}: ${name}`);
    });
    expect(missing).toEqual([]);
    expect(places.filter(({ file }) => !existsSync(file))).toEqual([]);
  });

  it('leaves no name of a test without its file', () => {
    const quoted = TEXT.match(/"[^"]+"/g)?.length;
    const afterFiles = places.reduce((sum, { names }) => sum + names.length, 0);
    // "At most once" and "again" are no tests.
    expect(quoted).toBe(afterFiles + 2);
  });
});
