import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toTargets } from '../../../lib/cli/targets.js';

describe('the servers of a command', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'redlock-targets-'));
    await writeFile(join(folder, 'ca'), 'an authority');
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('come from the arguments, or from REDLOCK_SERVERS with commas and spaces', () => {
    const env = { REDLOCK_SERVERS: ' a:1,redis://b:2 \n rediss://c/3,' };
    expect(toTargets([], env)).toEqual([
      { host: 'a', port: 1 },
      { host: 'b', port: 2 },
      { host: 'c', port: 6379, db: 3, tls: {} },
    ]);
    expect(toTargets(['d:4'], env)).toEqual([{ host: 'd', port: 4 }]);
  });

  it('get user and password of the environment where their URL has no password', () => {
    const env = { REDLOCK_USERNAME: 'locks', REDLOCK_PASSWORD: 'word' };
    expect(toTargets(['a:1', 'redis://me@b:1', 'redis://me:mine@c:1', 'redis://:mine@d:1'], env)).toMatchObject([
      { username: 'locks', password: 'word' },
      { username: 'me', password: 'word' },
      { username: 'me', password: 'mine' },
      { password: 'mine' },
    ]);
    expect(toTargets(['redis://:mine@d:1'], env)[0]).not.toHaveProperty('username');
    expect(toTargets(['a:1'], { REDLOCK_USERNAME: '', REDLOCK_PASSWORD: '' })).toEqual([{ host: 'a', port: 1 }]);
  });

  it('get the TLS files of the environment where their URL asks for TLS', () => {
    const env = {
      REDLOCK_TLS_CA: join(folder, 'ca'),
      REDLOCK_TLS_SERVERNAME: 'c.test',
      REDLOCK_TLS_PASSPHRASE: 'phrase',
    };
    expect(toTargets(['rediss://a:1', 'redis://b:1'], env)).toEqual([
      { host: 'a', port: 1, tls: { ca: 'an authority', servername: 'c.test', passphrase: 'phrase' } },
      { host: 'b', port: 1 },
    ]);
  });
});
