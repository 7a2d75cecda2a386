import { describe, expect, it } from '@jest/globals';
import js from '@eslint/js';
import { Linter } from 'eslint';
import { resolve } from 'node:path';
import ts from 'typescript';
import { FILES } from '../../../lib/dashboard/page/files.js';
import { page } from '../../../lib/dashboard/page/page.js';

const scripts = [...FILES].filter(([name]) => name.endsWith('.js')).map(([name, { body }]) => ({ name, body }));

/** What the compiler has against these scripts, by their JSDoc and the types of a browser. */
function faults(files: readonly { readonly name: string; readonly body: string }[]): string[] {
  const options: ts.CompilerOptions = {
    allowJs: true,
    checkJs: true,
    strict: true,
    noEmit: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ES2022,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    lib: ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
    types: [],
  };
  const folder = resolve('scripts-of-the-page');
  const texts = new Map(files.map(({ name, body }) => [`${folder}/${name}`, body]));
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (path) => texts.has(path) || fileExists(path);
  host.readFile = (path) => texts.get(path) ?? readFile(path);
  host.directoryExists = (path) => path === folder || ts.sys.directoryExists(path);
  host.getSourceFile = (path, ...rest) => {
    const text = texts.get(path);
    return text === undefined
      ? getSourceFile(path, ...rest)
      : ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true, ts.ScriptKind.JS);
  };
  const program = ts.createProgram([...texts.keys()], options, host);
  return [...program.getSyntacticDiagnostics(), ...program.getSemanticDiagnostics()].map(
    ({ file, start = 0, messageText }) =>
      `${file?.fileName.slice(folder.length + 1)}:${(file?.getLineAndCharacterOfPosition(start).line ?? 0) + 1} ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
  );
}

describe('the files of the page', () => {
  it('are scripts that the compiler has nothing against, as it has against one that is wrong', () => {
    expect(scripts.length).toBeGreaterThan(5);
    const wrong = { name: 'wrong.js', body: "import { nothing } from './dom.js';\ndocument.body.title = 1;\n" };
    expect(faults([...scripts, wrong])).toEqual([
      expect.stringContaining("wrong.js:1 Module '\"./dom.js\"' has no exported member 'nothing'"),
      expect.stringContaining("wrong.js:2 Type 'number' is not assignable to type 'string'"),
    ]);
  });

  it('are scripts that the linter has nothing against', () => {
    const known = 'document window fetch EventSource setTimeout clearTimeout setInterval'.split(' ');
    const globals = Object.fromEntries(known.map((name) => [name, 'readonly' as const]));
    for (const { name, body } of scripts) {
      const messages = new Linter().verify(body, [js.configs.recommended, { languageOptions: { globals } }]);
      expect({ name, messages: messages.map(({ line, message }) => `${line}: ${message}`) }).toEqual({
        name,
        messages: [],
      });
    }
  });

  it('make no HTML of texts, and evaluate none: what servers and jobs are called is no code', () => {
    for (const { name, body } of scripts) {
      const code = body.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
      const unsafe =
        /innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|createContextualFragment|\beval\b|new Function|setHTML/.exec(
          code,
        );
      expect({ name, unsafe: unsafe?.[0] }).toEqual({ name, unsafe: undefined });
    }
  });

  it('load nothing from elsewhere, and have no inline script or style', () => {
    const html = page('./redlock/').body;
    for (const text of [html, ...[...FILES.values()].map(({ body }) => body)]) {
      expect(text.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:\/\/|@import|url\(/);
    }
    expect(html).not.toMatch(/<style|\sstyle=|\son\w+=|<script(?! type="module" src=)|javascript:/);
  });

  it('are all there that the page and its scripts name', () => {
    const named = [
      ...[...page('./x/').body.matchAll(/(?:src|href)="\.\/x\/([^"]+)"/g)],
      ...scripts.flatMap(({ body }) => [...body.matchAll(/from '\.\/([^']+)'/g)]),
    ].map(([, name]) => name);
    expect(new Set(named)).toEqual(new Set(FILES.keys()));
  });

  it('are small: the page is there at once', () => {
    const bytes = [...FILES.values()].reduce((sum, { body }) => sum + body.length, page('./').body.length);
    expect(bytes).toBeLessThan(60_000);
  });
});
