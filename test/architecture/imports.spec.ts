import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const LIB = resolve('lib');

const files = readdirSync(LIB, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => ({ file, text: readFileSync(join(LIB, file), 'utf8') }));

/** What each file imports: a path below lib/, or the name of a package. */
function importsOf({ file, text }: { file: string; text: string }): string[] {
  const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, specifier = '']) => specifier);
  return specifiers.map((specifier) =>
    specifier.startsWith('.')
      ? relative(LIB, resolve(LIB, dirname(file), specifier)).replace(/\.js$/, '.ts')
      : specifier,
  );
}

const inside = (folder: string): typeof files => files.filter(({ file }) => file.startsWith(folder));

describe('the house', () => {
  it('core/ imports nothing outside itself: the algorithm that runs under the simulator is the one that runs in production', () => {
    expect(inside('core/').length).toBeGreaterThan(10);
    for (const each of inside('core/')) {
      expect({ file: each.file, outside: importsOf(each).filter((path) => !path.startsWith('core/')) }).toEqual({
        file: each.file,
        outside: [],
      });
    }
  });

  it('core/ knows no ambient time and no ambient chance: a seed replays only what comes through ports', () => {
    const ambient =
      /\b(Date\.now|new Date\b(?!\([^)])|performance\.|setTimeout|setInterval|setImmediate|process\.|Math\.random|crypto)/;
    for (const { file, text } of inside('core/')) {
      const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
      expect({ file, ambient: ambient.exec(code)?.[0] }).toEqual({ file, ambient: undefined });
    }
  });

  it('redis/ and system/ know the algorithm, and nothing of Nest', () => {
    for (const each of [...inside('redis/'), ...inside('system/')]) {
      const allowed = /^(core\/|redis\/|system\/|node:|ioredis$)/;
      expect({ file: each.file, outside: importsOf(each).filter((path) => !allowed.test(path)) }).toEqual({
        file: each.file,
        outside: [],
      });
    }
  });

  it('client/ knows the algorithm and the servers, and nothing of Nest', () => {
    expect(inside('client/').length).toBeGreaterThan(10);
    for (const each of inside('client/')) {
      const allowed = /^(client\/|core\/|redis\/|system\/|interfaces\/|node:|ms$|ioredis$)/;
      expect({ file: each.file, outside: importsOf(each).filter((path) => !allowed.test(path)) }).toEqual({
        file: each.file,
        outside: [],
      });
    }
  });

  it('what is of Nest uses the client, and of the algorithm only its errors', () => {
    const ofNest = files.filter(
      ({ file }) => !/^(cli|client|contract|core|redis|system|testing|interfaces)\//.test(file),
    );
    expect(ofNest.length).toBeGreaterThan(20);
    for (const each of ofNest) {
      const below = importsOf(each).filter((path) =>
        /^(core\/(?!errors\/|printable|error-text|signals)|redis\/|system\/)/.test(path),
      );
      expect({ file: each.file, below }).toEqual({ file: each.file, below: [] });
    }
  });

  it('otel/, terminus/ and dashboard/ know the events and what is public, their own peer, and nothing of each other', () => {
    const allowed = {
      'otel/':
        /^(otel\/|client\/(events|call-tracer)\.ts|core\/error-text|interfaces\/|[^/]+\.ts$|@nestjs\/(common|core)$|@opentelemetry\/api$)/,
      'terminus/': /^(terminus\/|interfaces\/|[^/]+\.ts$|@nestjs\/(common|core|terminus)$)/,
      // It lists locks, as the command does, and knows neither Express nor Fastify.
      'dashboard/':
        /^(dashboard\/|client\/(events|inspection|lock-list|options\/check)\.ts|core\/(errors\/|error-text)|interfaces\/|[^/]+\.ts$|@nestjs\/(common|core)$|node:(http|crypto)$)/,
    };
    for (const [folder, known] of Object.entries(allowed)) {
      expect(inside(folder).length).toBeGreaterThan(1);
      for (const each of inside(folder)) {
        const outside = importsOf(each).filter((path) => !known.test(path));
        expect({ file: each.file, outside }).toEqual({ file: each.file, outside: [] });
      }
    }
  });

  it('nothing else imports otel/, terminus/ or dashboard/, nor what these need: an application without them does not load them', () => {
    for (const each of files.filter(({ file }) => !/^(otel|terminus|dashboard)\//.test(file))) {
      const optional = importsOf(each).filter((path) =>
        /^(otel\/|terminus\/|dashboard\/|@opentelemetry|@nestjs\/terminus)/.test(path),
      );
      expect({ file: each.file, optional }).toEqual({ file: each.file, optional: [] });
    }
  });

  it('nothing outside testing/ imports it: what serves tests is not loaded in production', () => {
    expect(inside('testing/').length).toBeGreaterThan(3);
    for (const each of files.filter(({ file }) => !file.startsWith('testing/'))) {
      const tests = importsOf(each).filter((path) => /^testing\/|^redlock-nestjs/.test(path));
      expect({ file: each.file, tests }).toEqual({ file: each.file, tests: [] });
    }
  });

  it('nothing outside lock-store/ imports it, and it needs nothing but the service', () => {
    for (const each of files.filter(({ file }) => !file.startsWith('lock-store/'))) {
      const store = importsOf(each).filter((path) => path.startsWith('lock-store/'));
      expect({ file: each.file, store }).toEqual({ file: each.file, store: [] });
    }
    for (const each of inside('lock-store/')) {
      const allowed = /^(lock-store\/|core\/errors\/index\.ts|interfaces\/|redlock\.service\.ts)/;
      const outside = importsOf(each).filter((path) => !allowed.test(path));
      expect({ file: each.file, outside }).toEqual({ file: each.file, outside: [] });
    }
  });

  it('nothing outside contract/ imports it, and it imports nothing of Nest: it serves the authors of servers', () => {
    expect(inside('contract/').length).toBeGreaterThan(5);
    for (const each of files.filter(({ file }) => !file.startsWith('contract/'))) {
      const contract = importsOf(each).filter((path) => path.startsWith('contract/'));
      expect({ file: each.file, contract }).toEqual({ file: each.file, contract: [] });
    }
    for (const each of inside('contract/')) {
      const allowed =
        /^(contract\/|client\/(options\/module-options|server-factory|shards)\.ts|core\/ports\/|redis\/connection\.ts|node:)/;
      expect({ file: each.file, outside: importsOf(each).filter((path) => !allowed.test(path)) }).toEqual({
        file: each.file,
        outside: [],
      });
    }
  });

  it('nothing imports cli/, so an application does not load the command; and cli/ loads nothing of Nest but to run a job of an application', () => {
    expect(inside('cli/').length).toBeGreaterThan(10);
    for (const each of files.filter(({ file }) => !file.startsWith('cli/'))) {
      const commands = importsOf(each).filter((path) => path.startsWith('cli/'));
      expect({ file: each.file, commands }).toEqual({ file: each.file, commands: [] });
    }
    for (const each of inside('cli/').filter(({ file }) => file !== 'cli/jobs/run-job.ts')) {
      const allowed =
        /^(cli\/|client\/|core\/(errors\/|printable|error-text|vote|wait|ports\/)|redis\/|interfaces\/|node:|ioredis$)/;
      expect({ file: each.file, outside: importsOf(each).filter((path) => !allowed.test(path)) }).toEqual({
        file: each.file,
        outside: [],
      });
    }
  });

  it('what the command alone uses of client/ and redis/ is not loaded with the module', () => {
    const byName = new Map(files.map((each) => [each.file, each]));
    const loaded = new Set(['index.ts']);
    for (const file of loaded) {
      const each = byName.get(file);
      for (const path of each === undefined ? [] : importsOf(each)) loaded.add(path);
    }
    expect(loaded).toContain('redis/redis-lock-node.ts');
    const alone = ['client/lock-list.ts', 'redis/key-scan.ts'];
    expect([...loaded].filter((path) => path.startsWith('cli/') || alone.includes(path))).toEqual([]);
  });

  it('only redis/ imports ioredis, but for types', () => {
    for (const { file, text } of files.filter(({ file }) => !file.startsWith('redis/'))) {
      expect({ file, value: /^import (?!type).*'ioredis'/m.exec(text)?.[0] }).toEqual({ file, value: undefined });
    }
  });

  it('the runtime dependencies are the ones that package.json names', () => {
    const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Record<string, Record<string, string>>;
    const named = new Set([
      ...Object.keys(manifest.dependencies ?? {}),
      ...Object.keys(manifest.peerDependencies ?? {}),
    ]);
    const used = new Set(files.flatMap(importsOf).filter((path) => !path.endsWith('.ts') && !path.startsWith('node:')));
    for (const name of used) expect([...named]).toContain(name);
  });
});
