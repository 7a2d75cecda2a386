import { build } from 'esbuild';

await build({
  ...{ entryPoints: ['smoke.mjs'], outfile: 'out/esbuild.cjs', bundle: true, minify: true },
  ...{ platform: 'node', target: 'node20', format: 'cjs' },
  // What Nest loads where it is installed.
  external: [
    '@nestjs/microservices',
    '@nestjs/websockets',
    '@nestjs/websockets/*',
    '@nestjs/platform-express',
    '@nestjs/microservices/*',
    'class-validator',
    'class-transformer',
  ],
});
