import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { allPages } from '../support/pages.js';
import { join, resolve } from 'node:path';

/** Each has a word of the field in its place: see the glossary in docs/ARCHITECTURE.md. */
const BANNED = /\b(?:couriers?|parcels?|ballots?|bells?|waiting rooms?|heirs?|courtes(?:y|ies)|politely|whoever)\b/giu;

/** Names that tests and sample had for operations, plan builder, random numbers, history writer, nemesis and replicas. */
const BANNED_IN_TESTS = /(?<!hi)stor(?:y|ies)\b|screenplay|\bdice\b|diar(?:y|ies)\b|errand|director\b|\bcrew|ledger/giu;

/** Words that hide which process, waiter, holder or server does something. */
const UNNAMED = /\b(?:who|whom|whoever|nobody|somebody|everybody|anybody)\b/iu;

/** And what else plain English has another word for: paused, automatically. */
const RIDDLES = /\b(?:st(?:ands?|ood|anding) still|by (?:itself|themselves))\b/iu;

/** Lines of lib/ with such a word. The number may only fall: lower it when you have named some actors. */
const MOST_UNNAMED_LINES = 102;

interface Text {
  readonly file: string;
  readonly text: string;
}

function textsOf(folder: string, ending: string): Text[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((file) => join(folder, file))
    .filter((file) => file.endsWith(ending) && resolve(file) !== import.meta.filename)
    .map((file) => ({ file, text: readFileSync(file, 'utf8') }));
}

const lib = textsOf('lib', '.ts');
const pages = [
  ...allPages().map(({ path, text }) => ({ file: path, text })),
  { file: 'CHANGELOG.md', text: readFileSync('CHANGELOG.md', 'utf8') },
];

function uses(banned: RegExp, texts: readonly Text[]): string[] {
  return texts.flatMap(({ file, text }) => (text.match(banned) ?? []).map((word) => `${file}: ${word}`));
}

function linesWith(word: RegExp, texts: readonly Text[]): string[] {
  return texts.flatMap(({ file, text }) =>
    text
      .split('\n')
      .filter((line) => word.test(line))
      .map((line) => `${file}: ${line.trim()}`),
  );
}

/** A page without its quotations: names of tests, and what errors and logs say. */
function unquoted({ file, text }: Text): Text {
  return { file, text: text.replaceAll(/"[^"]+"/gu, '""') };
}

describe('the words', () => {
  it('are those of the field: no second name for what has one', () => {
    expect(lib.length).toBeGreaterThan(80);
    expect(pages.length).toBeGreaterThan(10);
    expect(uses(BANNED, [...lib, ...pages])).toEqual([]);
  });

  it('are those of the field in tests and sample, too', () => {
    const texts = [...textsOf('test', '.ts'), ...textsOf('sample', '.ts')];
    expect(texts.length).toBeGreaterThan(150);
    expect(uses(BANNED_IN_TESTS, texts)).toEqual([]);
  });

  it('name the actor on every page, and say in plain English what it does', () => {
    expect(linesWith(UNNAMED, pages.map(unquoted))).toEqual([]);
    expect(linesWith(RIDDLES, pages.map(unquoted))).toEqual([]);
  });

  it('name the actor in the code, in more lines with every change', () => {
    const lines = linesWith(UNNAMED, lib);
    // Prints the lines when there are more of them than before.
    expect(lines.length > MOST_UNNAMED_LINES ? lines : []).toEqual([]);
  });
});
