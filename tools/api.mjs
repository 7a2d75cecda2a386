// What a program can import from the built package, as text: etc/redlock-nestjs.api.md. A change of it is a change for users, so its
// diff is what a review of the API reads. `node tools/api.mjs` writes it, `--check` fails where it is not what dist/ says.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const REPORT = join(ROOT, 'etc/redlock-nestjs.api.md');
const PRINTER = ts.createPrinter({ removeComments: true });

/** A file of declarations: what it declares, imports and exports, by name. */
class Module {
  declarations = new Map();
  imports = new Map();
  exports = new Map();

  constructor(path) {
    this.path = path;
    this.source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.ESNext, true);
    for (const statement of this.source.statements) this.#read(statement);
  }

  #read(statement) {
    if (ts.isImportDeclaration(statement)) this.#readImport(statement);
    else if (ts.isExportDeclaration(statement)) this.#readExport(statement);
    else if (ts.isVariableStatement(statement)) {
      for (const { name } of statement.declarationList.declarations) this.#declare(name.text, statement);
    } else if (statement.name !== undefined) this.#declare(statement.name.text, statement);
  }

  #readImport({ importClause, moduleSpecifier }) {
    const bindings = importClause?.namedBindings;
    if (bindings === undefined || !ts.isNamedImports(bindings)) return;
    for (const { name, propertyName } of bindings.elements) {
      this.imports.set(name.text, { from: moduleSpecifier.text, name: (propertyName ?? name).text });
    }
  }

  #readExport({ exportClause, moduleSpecifier }) {
    if (exportClause === undefined || !ts.isNamedExports(exportClause)) {
      if (moduleSpecifier !== undefined)
        throw new Error(`${this.path}: name what is exported from ${moduleSpecifier.text}.`);
      return;
    }
    for (const { name, propertyName } of exportClause.elements) {
      this.exports.set(name.text, { from: moduleSpecifier?.text, name: (propertyName ?? name).text });
    }
  }

  /** Overloads are several declarations of one name. */
  #declare(name, statement) {
    this.declarations.set(name, [...(this.declarations.get(name) ?? []), statement]);
    const modifiers = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []) : [];
    if (modifiers.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) this.exports.set(name, { name });
  }
}

const modules = new Map();

function moduleAt(path) {
  if (!modules.has(path)) modules.set(path, new Module(path));
  return modules.get(path);
}

/** Where a name is declared: its file and its statements. Undefined where another package has it. */
function find(module, name) {
  const own = module.exports.get(name);
  const local = own?.from === undefined ? (own?.name ?? name) : name;
  if (module.declarations.has(local)) return { module, name: local };
  const link = own?.from === undefined ? module.imports.get(local) : own;
  if (!link?.from.startsWith('.')) return undefined;
  const path = resolve(dirname(module.path), link.from.replace(/\.js$/, '.d.ts'));
  if (!existsSync(path)) throw new Error(`${module.path} imports ${link.from}, which is not there.`);
  return find(moduleAt(path), link.name);
}

/** Without what only the class itself can use: `#field`, `private`. */
function withoutPrivate(node) {
  const isPrivate = (member) =>
    (member.name !== undefined && ts.isPrivateIdentifier(member.name)) ||
    (ts.canHaveModifiers(member) && ts.getModifiers(member)?.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword));
  if (!ts.isClassDeclaration(node)) return node;
  const { modifiers, name, typeParameters, heritageClauses, members } = node;
  const open = members.filter((member) => !isPrivate(member));
  return ts.factory.updateClassDeclaration(node, modifiers, name, typeParameters, heritageClauses, open);
}

function textOf({ module, name }) {
  const print = (node) => PRINTER.printNode(ts.EmitHint.Unspecified, withoutPrivate(node), module.source);
  return module.declarations
    .get(name)
    .map(print)
    .join('\n')
    .replaceAll(/^(export )?declare /gm, '')
    .replaceAll(/^export /gm, '');
}

/** The names that a declaration refers to, but for members. */
function namesIn({ module, name }) {
  const names = new Set();
  const visit = (node) => {
    if (ts.isIdentifier(node)) names.add(node.text);
    ts.forEachChild(node, visit);
  };
  for (const node of module.declarations.get(name)) ts.forEachChild(withoutPrivate(node), visit);
  return [...names];
}

/** A class that is not exported is how something works, and not what a user may rely on. */
const isClass = ({ module, name }) => module.declarations.get(name).some(ts.isClassDeclaration);

const idOf = ({ module, name }) => `${module.path}#${name}`;

function report() {
  const { exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const entries = Object.entries(exports).filter(([, target]) => typeof target === 'object');
  const shown = new Set();
  const queue = [];
  const sections = entries.map(([subpath, target]) => {
    const entry = moduleAt(join(ROOT, target.import.types));
    const found = [...entry.exports.keys()].sort().map((name) => find(entry, name));
    for (const declared of found) shown.add(idOf(declared));
    queue.push(...found);
    const texts = found.map(textOf);
    return `## redlock-nestjs${subpath.slice(1)}\n\n${fence(texts)}`;
  });
  const hidden = [];
  for (const declared of queue) {
    for (const name of namesIn(declared)) {
      const other = find(declared.module, name);
      if (other === undefined || shown.has(idOf(other)) || isClass(other)) continue;
      shown.add(idOf(other));
      queue.push(other);
      hidden.push([`${relative(join(ROOT, 'dist'), other.module.path)} ${other.name}`, textOf(other)]);
    }
  }
  const texts = hidden.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text);
  const intro =
    'Written by `npm run api` from the built package: what can be imported, and the types that it refers to.\nA change here is a change for users.';
  return `# API report\n\n${intro}\n\n${sections.join('\n')}\n## Referred to, and not exported\n\n${fence(texts)}`;
}

const fence = (texts) => `\`\`\`ts\n${texts.join('\n\n')}\n\`\`\`\n`;

const text = report();
if (process.argv.includes('--check')) {
  const kept = existsSync(REPORT) ? readFileSync(REPORT, 'utf8') : '';
  if (kept !== text) {
    console.error('etc/redlock-nestjs.api.md is not what the build says. Run `npm run api`, and look at the diff.');
    process.exitCode = 1;
  }
} else {
  mkdirSync(dirname(REPORT), { recursive: true });
  writeFileSync(REPORT, text);
}
