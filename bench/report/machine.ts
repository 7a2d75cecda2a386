import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus } from 'node:os';

/** Where the numbers come from. */
export interface Machine {
  readonly commit: string;
  readonly node: string;
  readonly servers: string;
  readonly cores: number;
  readonly processor: string;
  readonly at: string;
}

export function describeMachine(servers: string): Machine {
  return {
    ...{ commit: commit(), node: process.version, servers: servers.split(',')[0]!, at: new Date().toISOString() },
    ...{ cores: availableParallelism(), processor: cpus()[0]?.model.trim() ?? 'unknown' },
  };
}

function commit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    return 'unknown';
  }
}
