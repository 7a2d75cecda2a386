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
  return pagesOf(...ROOT_PAGES, ...docs.map((name) => join('docs', name)).sort());
}

function blocksOf(text: string): Block[] {
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language = '', code = '']) => ({
    language,
    file: /^\/\/ (\S+\.ts)\n/.exec(code)?.[1],
    code,
  }));
}
