// dist/ is ES modules, dist/cjs/ is CommonJS: this package.json is how Node tells them apart.
import { writeFileSync } from 'node:fs';

writeFileSync(new URL('../dist/cjs/package.json', import.meta.url), '{ "type": "commonjs" }\n');
