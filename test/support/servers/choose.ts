import type { FleetKind, FleetOptions } from '../fleet.interface.js';
import { binaryFromDebian, binaryOnPath } from './binary.js';
import { dockerPlace } from './docker.source.js';
import { localSource } from './local.source.js';
import { NotHereError } from './not-here.error.js';
import type { Release } from './release.js';
import type { Place } from './source.js';

interface Way {
  readonly kind: FleetKind;
  readonly name: string;
  readonly find: (release: Release | undefined) => Promise<Place>;
}

/** In the order in which they are tried. */
const WAYS: readonly Way[] = [
  { kind: 'local', name: 'PATH', find: async (release) => local(await binaryOnPath(release)) },
  { kind: 'docker', name: 'Docker', find: dockerPlace },
  { kind: 'local', name: 'Debian', find: async (release) => local(await binaryFromDebian(release)) },
];

/** The first way to come by servers that works here. Rejects with a {@link NotHereError} where none can work. */
export async function findPlace({ kind = forcedKind(), release }: FleetOptions): Promise<Place> {
  const failures: string[] = [];
  let isHere = false;
  for (const way of WAYS) {
    if (kind !== undefined && way.kind !== kind) {
      failures.push(`${way.name}: not tried, because only '${kind}' is asked for`);
      continue;
    }
    try {
      return await way.find(release);
    } catch (error) {
      isHere ||= !(error instanceof NotHereError);
      failures.push(`${way.name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const all = ['REDLOCK_SERVERS: not used', ...failures];
  const message = `No way to come by a ${release ?? 'Redis'} server works here.\n${all.map((line) => `  - ${line}`).join('\n')}`;
  throw isHere ? new Error(message) : new NotHereError(message);
}

function local(binary: Parameters<typeof localSource>[0]): Place {
  return { origin: binary.origin, open: (options) => localSource(binary, options) };
}

function forcedKind(): FleetKind | undefined {
  const kind = process.env.REDLOCK_FLEET;
  if (kind === undefined || kind === '') return undefined;
  if (kind === 'local' || kind === 'docker') return kind;
  throw new Error(`REDLOCK_FLEET is '${kind}': it may be 'local' or 'docker'.`);
}
