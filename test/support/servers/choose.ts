import type { FleetKind, FleetOptions } from '../fleet.interface.js';
import { binaryFromDebian, binaryOnPath } from './binary.js';
import { dockerSource } from './docker.source.js';
import { localSource } from './local.source.js';
import type { Source, SourceOptions } from './source.js';

interface Way {
  readonly kind: FleetKind;
  readonly name: string;
  readonly open: (options: SourceOptions) => Promise<Source>;
}

/** In the order in which they are tried. */
const WAYS: readonly Way[] = [
  { kind: 'local', name: 'PATH', open: async (options) => localSource(await binaryOnPath(), options) },
  { kind: 'docker', name: 'Docker', open: dockerSource },
  { kind: 'local', name: 'Debian', open: async (options) => localSource(await binaryFromDebian(), options) },
];

/** The first way to come by servers that works here. */
export async function chooseSource({ kind = forcedKind(), args = [] }: FleetOptions): Promise<Source> {
  const failures: string[] = [];
  for (const way of WAYS) {
    if (kind !== undefined && way.kind !== kind) {
      failures.push(`${way.name}: not tried, because only '${kind}' is asked for`);
      continue;
    }
    try {
      return await way.open({ args });
    } catch (error) {
      failures.push(`${way.name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const all = ['REDLOCK_SERVERS: not used', ...failures];
  throw new Error(`No way to come by a Redis server works here.\n${all.map((line) => `  - ${line}`).join('\n')}`);
}

function forcedKind(): FleetKind | undefined {
  const kind = process.env.REDLOCK_FLEET;
  if (kind === undefined || kind === '') return undefined;
  if (kind === 'local' || kind === 'docker') return kind;
  throw new Error(`REDLOCK_FLEET is '${kind}': it may be 'local' or 'docker'.`);
}
