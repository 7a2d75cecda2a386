import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NAME = 'redlock-nestjs';

/** The folder of this package. This file runs from `test/support` and, compiled, from `dist-demo/test/support`. */
export function packageRoot(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest) && (JSON.parse(readFileSync(manifest, 'utf8')) as { name?: string }).name === NAME) {
      return folder;
    }
    if (folder === dirname(folder))
      throw new Error(`No package.json of ${NAME} above ${fileURLToPath(import.meta.url)}.`);
  }
}
