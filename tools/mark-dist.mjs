// dist/ is ES modules, dist/cjs/ is CommonJS: a package.json there is how Node tells them apart. The command is executable.
import { chmodSync, writeFileSync } from 'node:fs';

writeFileSync(new URL('../dist/cjs/package.json', import.meta.url), '{ "type": "commonjs" }\n');
chmodSync(new URL('../dist/cli/main.js', import.meta.url), 0o755);
