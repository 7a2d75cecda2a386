import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Each has a word of the field in its place: see the glossary in docs/ARCHITECTURE.md. */
const BANNED = /\b(?:couriers?|parcels?|ballots?|bells?|waiting rooms?|heirs?|courtes(?:y|ies)|politely|whoever)\b/giu;

const texts = ['lib', 'docs']
  .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)))
  .concat('README.md', 'CONTRIBUTING.md')
  .filter((file) => /\.(?:ts|md)$/u.test(file))
  .map((file) => ({ file, text: readFileSync(file, 'utf8') }));

describe('the words', () => {
  it('are those of the field: no second name for what has one', () => {
    expect(texts.length).toBeGreaterThan(100);
    const found = texts.flatMap(({ file, text }) => (text.match(BANNED) ?? []).map((word) => `${file}: ${word}`));
    expect(found).toEqual([]);
  });
});
