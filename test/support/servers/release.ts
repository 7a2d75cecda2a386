/** Which server, for a test to which that is not all the same. */
export type Release = 'Redis 7' | 'Redis 8' | 'Valkey';

/** What to look for, and where to have it from. */
export interface ReleaseSource {
  readonly program: 'redis-server' | 'valkey-server';
  /** How `--version` begins. Some systems have a Valkey under the name of `redis-server`. */
  readonly banner: RegExp;
  /** The release of Debian that has it. */
  readonly suite: string;
  readonly image: string;
}

export const RELEASES: Readonly<Record<Release, ReleaseSource>> = {
  'Redis 7': { program: 'redis-server', banner: /^Redis server v=7\./, suite: 'bookworm', image: 'redis:7-alpine' },
  'Redis 8': { program: 'redis-server', banner: /^Redis server v=8\./, suite: 'trixie', image: 'redis:8-alpine' },
  Valkey: {
    program: 'valkey-server',
    banner: /^Valkey server v=/,
    suite: 'trixie',
    image: 'valkey/valkey:8-alpine',
  },
};
