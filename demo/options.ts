import { parseArgs } from 'node:util';

export interface DemoOptions {
  /** `Infinity`: until a signal stops it. */
  readonly ticks: number;
  readonly servers: number;
  readonly replicas: number;
  readonly chaos: boolean;
  readonly page: boolean;
  readonly json: boolean;
}

export const HELP = `Independent Redis servers, and replicas of one Nest application with a @Cron job every second under @WithLock.
A line for each tick says which replica ran it, which skipped it, and how many servers vote.

npm start -- [options]

  --ticks N     end after N ticks; the exit code is 0 if each ran exactly once, else 1. Default: run until Ctrl-C
  --servers N   how many Redis servers. Default: 5
  --replicas N  how many replicas, each a process of its own. Default: 3
  --chaos       meanwhile kill a server, stall one, kill the replica that holds the lock and start another, and set the
                clock of a replica wrong. Each is announced, and never takes the majority of the servers or the last replica
  --page        serve the dashboard of the jobs, and buttons that break servers and replicas, to this machine.
                The variable PORT says where; by default on any free port
  --json        a JSON object for each tick instead, everything else on stderr:
                  tick       the scheduled instant, as an ISO time
                  ranBy      the replicas that ran it: one, if all is well. A run counts from its beginning
                  skippedBy  the replicas that found it run already
                  failed     the replicas that could not tell or broke off, as { replica, error }
                  voting     how many servers answered a PING at that instant
                  servers    how many there are
  --help        this text
`;

/** Something that the user should have typed differently. */
export class UsageError extends Error {}

const NUMBERS = ['ticks', 'servers', 'replicas'] as const;
const SWITCHES = ['chaos', 'page', 'json', 'help'] as const;
const LARGEST = { ticks: Number.MAX_SAFE_INTEGER, servers: 99, replicas: 99 };

/** @throws UsageError with one sentence */
export function readOptions(args: readonly string[]): DemoOptions | 'help' {
  const { values, positionals } = parseArgs({
    args: [...args],
    // Its own complaints are several lines long.
    strict: false,
    allowPositionals: true,
    options: {
      ...Object.fromEntries(NUMBERS.map((name) => [name, { type: 'string' as const }])),
      ...Object.fromEntries(SWITCHES.map((name) => [name, { type: 'boolean' as const }])),
    },
  });
  for (const [name, value] of Object.entries(values)) {
    if (includes(NUMBERS, name)) continue;
    if (!includes(SWITCHES, name)) throw new UsageError(`There is no option --${name}.`);
    if (value !== true) throw new UsageError(`--${name} takes no value.`);
  }
  if (positionals[0] !== undefined) throw new UsageError(`Only options are taken, and '${positionals[0]}' is none.`);
  if (values.help === true) return 'help';

  const numberOf = (name: (typeof NUMBERS)[number], byDefault: number): number => {
    const value = values[name];
    if (value === undefined) return byDefault;
    const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : NaN;
    if (number >= 1 && number <= LARGEST[name]) return number;
    const range = name === 'ticks' ? 'from 1 up' : `from 1 to ${LARGEST[name]}`;
    throw new UsageError(`--${name} takes a whole number ${range}, ${said(value)}.`);
  };
  return {
    ticks: numberOf('ticks', Infinity),
    servers: numberOf('servers', 5),
    replicas: numberOf('replicas', 3),
    chaos: values.chaos === true,
    page: values.page === true,
    json: values.json === true,
  };
}

function said(value: string | boolean): string {
  return typeof value === 'string' ? `not '${value}'` : 'and there is none';
}

function includes<T extends string>(names: readonly T[], name: string): name is T {
  return (names as readonly string[]).includes(name);
}
