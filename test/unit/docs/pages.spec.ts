import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';
import { allPages, pagesOf, type Page } from '../../support/pages.js';

const README_LINES = 200;
/** A page is read in one go. The tutorial is the longest. */
const PAGE_LINES = 240;

/** Pages that lead to other pages, and the decisions, which have one link together. */
const INDEXES = /^docs\/(README|guide|operations|observability)\.md$|^docs\/decisions\//;

/** Where a reader's files would be: beside the package's own, so that its imports are found. */
const folderOf = (page: Page): string => resolve('docs-of-a-reader', page.path.replaceAll(/\W/g, '-'));

/** What the compiler has against the blocks of these pages, under the strict settings of this package. */
function faults(pages: readonly Page[]): string[] {
  const config = ts.readConfigFile('tsconfig.json', (path) => readFileSync(path, 'utf8')).config as object;
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, process.cwd());
  const files = new Map(
    pages.flatMap((page) =>
      page.blocks.flatMap(({ file, code }) =>
        file === undefined ? [] : [[join(folderOf(page), file), code] as const],
      ),
    ),
  );
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (path) => files.has(path) || fileExists(path);
  host.directoryExists = (path) => [...files.keys()].some((file) => file.startsWith(`${path}/`)) || existsSync(path);
  host.readFile = (path) => files.get(path) ?? readFile(path);
  host.getSourceFile = (path, ...rest) => {
    const code = files.get(path);
    return code === undefined ? getSourceFile(path, ...rest) : ts.createSourceFile(path, code, ts.ScriptTarget.ES2023);
  };
  const program = ts.createProgram([...files.keys()], { ...options, incremental: false }, host);
  return [...files.keys()]
    .flatMap((path) => [
      ...program.getSyntacticDiagnostics(program.getSourceFile(path)),
      ...program.getSemanticDiagnostics(program.getSourceFile(path)),
    ])
    .map(({ file, messageText }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`);
}

/** As GitHub makes it of a heading. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** Links of a page to files and headings that are not there. */
function deadLinks({ path, text }: Page): string[] {
  const prose = text.replaceAll(/^```[\s\S]*?^```$/gm, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^https?:/.test(target))
    .filter((target) => {
      const [file = '', anchor] = target.split('#');
      const there = file === '' ? path : join(dirname(path), file);
      if (!existsSync(there)) return true;
      return anchor !== undefined && !anchorsOf(readFileSync(there, 'utf8')).includes(anchor);
    });
}

describe('the documentation', () => {
  const pages = allPages();

  it('has a first page that is read in one go', () => {
    const [readme] = pagesOf('README.md');
    expect(readme?.text.trimEnd().split('\n').length).toBeLessThanOrEqual(README_LINES);
    expect(readme?.text).toContain('\nnpm ci && npm start -- --ticks 30\n');
    expect(readme?.text).toContain('\nnpm ci && npm test\n');
  });

  it('has pages that are read in one go', () => {
    const lengths = pages.map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }));
    expect(lengths.filter(({ lines }) => lines > PAGE_LINES)).toEqual([]);
  });

  it('leads to each page from its index', () => {
    const [index] = pagesOf('docs/README.md');
    const linked = [...(index?.text ?? '').matchAll(/\]\(([\w./-]+\.md)\)/g)].map(([, target = '']) =>
      join('docs', target),
    );
    const own = pages.map(({ path }) => path).filter((path) => path.startsWith('docs/') && !INDEXES.test(path));
    expect(own.filter((path) => !linked.includes(path))).toEqual([]);
  });

  it('has whole blocks of TypeScript, each with the name of its file, and all of them compile', () => {
    const blocks = pages.flatMap((page) => page.blocks.map((block) => ({ page: page.path, ...block })));
    const code = blocks.filter(({ language }) => /^(ts|typescript|js|javascript)$/.test(language));
    expect(code.length).toBeGreaterThan(50);
    expect(code.filter(({ file }) => file === undefined)).toEqual([]);
    const names = code.map(({ page, file }) => `${page}: ${file}`);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
    expect(faults(pages)).toEqual([]);
  });

  it('would notice a block that does not compile', () => {
    const block = {
      language: 'ts',
      file: 'wrong.ts',
      code: "// wrong.ts\nexport const answer: number = 'forty-two';\n",
    };
    expect(faults([{ path: 'wrong.md', text: '', blocks: [block] }])).toEqual([
      expect.stringContaining('not assignable'),
    ]);
  });

  it.each(pages.map((page) => [page.path, page] as const))('has no dead link in %s', (_, page) => {
    expect(deadLinks(page)).toEqual([]);
  });

  it('names files of the library that exist, where it leads through the code', () => {
    const [page] = pagesOf('CONTRIBUTING.md');
    const named = [...(page?.text ?? '').matchAll(/`((?:core|redis|decorators)\/[\w./-]+\.ts|redlock\.[\w.]+\.ts)`/g)];
    expect(named.length).toBeGreaterThan(10);
    expect(named.map(([, file = '']) => file).filter((file) => !existsSync(join('lib', file)))).toEqual([]);
  });

  it('names scripts that exist, also in the workflows', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
    const workflows = readdirSync('.github/workflows').map((name) => join('.github/workflows', name));
    const texts = [...pages, ...pagesOf(...workflows)].map(({ path, text }) => ({ path, text }));
    const named = texts.flatMap(({ path, text }) =>
      [...text.matchAll(/npm run (?:--?\w+ )*([a-z][\w:-]*)/g)].map(([, name = '']) => ({ path, name })),
    );
    expect(named.length).toBeGreaterThan(30);
    expect(named.filter(({ name }) => !(name in scripts))).toEqual([]);
  });

  it('would notice a dead link', () => {
    const text = '# A heading\n[one](README.md) [two](nowhere.md) [three](#install) [four](#another)';
    expect(deadLinks({ path: 'README.md', text, blocks: [] })).toEqual(['nowhere.md', '#another']);
  });
});
