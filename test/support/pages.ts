import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A page of the documentation, with the blocks of code in it. */
export interface Page {
  /** From the root of the package. */
  readonly path: string;
  readonly text: string;
  readonly blocks: readonly Block[];
}

export interface Block {
  /** The language after the fence, empty where there is none. */
  readonly language: string;
  /** From its first line, `// name.ts`: blocks of one page import each other by these names. */
  readonly file: string | undefined;
  readonly code: string;
}

/** A row of a table: what each of its cells says. */
export type Row = readonly string[];

export function pagesOf(...paths: string[]): Page[] {
  return paths.map((path) => {
    const text = readFileSync(path, 'utf8');
    return { path, text, blocks: blocksOf(text) };
  });
}

/** Not the changelog, which names what was. */
const ROOT_PAGES = [
  ...['README.md', 'CONTRIBUTING.md', 'UPGRADING.md', 'SECURITY.md', 'CODE_OF_CONDUCT.md'],
  ...['llms.txt', '.github/PULL_REQUEST_TEMPLATE.md'],
];

export function allPages(): Page[] {
  const docs = readdirSync('docs', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md'));
  const samples = readdirSync('sample', { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return pagesOf(
    ...ROOT_PAGES,
    ...docs.map((name) => join('docs', name)).sort(),
    'sample/README.md',
    ...samples.map(({ name }) => join('sample', name, 'README.md')).sort(),
  );
}

/** The rows of the tables below a heading, up to the next heading of any level, without the heads of the tables. */
export function rowsBelow(path: string, heading: string): Row[] {
  const [, below = ''] = `\n${readFileSync(path, 'utf8')}`.split(`\n${heading}\n`);
  const [section = ''] = below.split(/^#+ /m);
  return [...section.matchAll(/((?:^\|.*\|\n)+)/gm)].flatMap(([table]) =>
    table
      .trimEnd()
      .split('\n')
      .slice(2)
      .map((line) =>
        line
          .split(/(?<!\\)\|/)
          .slice(1, -1)
          .map((cell) => cell.trim()),
      ),
  );
}

/** What stands between backticks. */
export function codesIn(cell: string | undefined): string[] {
  return [...(cell ?? '').matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
}

function blocksOf(text: string): Block[] {
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language = '', code = '']) => ({
    language,
    file: /^\/\/ (\S+\.ts)\n/.exec(code)?.[1],
    code,
  }));
}
