// Runs this package's TypeScript in a process of its own, without Jest and without a build:
//
//   node --import ./test/support/ts-loader.mjs some/file.ts
import { register } from 'node:module';

register('./ts-loader.hooks.mjs', import.meta.url);
