import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { ROOT } from './places.mjs';

const RUNNER = `
smoke(process.argv.slice(2)).then(
  (report) => {
    console.log(JSON.stringify(report));
    process.exitCode = report.wrong.length === 0 ? 0 : 1;
  },
  (error) => {
    console.error(error);
    process.exitCode = 1;
  },
);
`;

/** test/servers/smoke.ts as JavaScript of one kind, in the folder of a project. */
export function writeSmoke(folder, kind) {
  const module = kind === 'cjs' ? ts.ModuleKind.CommonJS : ts.ModuleKind.ESNext;
  const options = { module, target: ts.ScriptTarget.ES2022, experimentalDecorators: true, emitDecoratorMetadata: true };
  const source = readFileSync(join(ROOT, 'test/servers/smoke.ts'), 'utf8');
  const { outputText } = ts.transpileModule(source, { compilerOptions: { ...options, esModuleInterop: true } });
  const name = `smoke.${kind}`;
  writeFileSync(join(folder, name), outputText + RUNNER);
  return name;
}
