import type { FleetKind, FleetServer } from '../fleet.interface.js';
import { scan, send } from './admin.js';

/** The first `n` servers of `REDLOCK_SERVERS`; none where that is not set or where a family of servers is forced. */
export function givenServers(n: number, kind: FleetKind | undefined): readonly FleetServer[] | undefined {
  const urls = (process.env.REDLOCK_SERVERS ?? '').split(',').map((url) => url.trim());
  const given = urls.filter((url) => url !== '');
  if (given.length === 0 || kind !== undefined || process.env.REDLOCK_FLEET) return undefined;
  if (given.length < n) throw new Error(`REDLOCK_SERVERS names ${given.length} servers, and ${n} are needed.`);
  if (new Set(given).size < given.length)
    throw new Error('REDLOCK_SERVERS names a server twice: that is one vote, not two.');
  return given.slice(0, n).map((url, index) => new GivenServer(`server-${index + 1}`, url));
}

/** A server that somebody else runs. It is talked to and never harmed. */
class GivenServer implements FleetServer {
  readonly host: string;
  readonly port: number;
  readonly running = true;

  constructor(
    readonly name: string,
    readonly url: string,
  ) {
    if (!URL.canParse(url)) throw new Error(`REDLOCK_SERVERS: '${url}' is not a url such as redis://127.0.0.1:6379.`);
    const { hostname, port } = new URL(url);
    this.host = hostname;
    this.port = Number(port || 6379);
  }

  kill = (): Promise<void> => this.refuse('kill');
  pause = (): Promise<void> => this.refuse('pause');
  resume = (): Promise<void> => this.refuse('resume');
  restart = (): Promise<void> => this.refuse('restart');
  slow = (): Promise<void> => this.refuse('slow');

  keys(pattern = '*'): Promise<string[]> {
    return scan(this.url, pattern);
  }

  async command(...args: string[]): Promise<unknown> {
    const [command, ...rest] = args;
    if (command === undefined) throw new Error('A command has at least a name.');
    if (/^(flushall|flushdb|shutdown)$/i.test(command)) return this.refuse(command);
    return send(this.url, command, ...rest);
  }

  private refuse(verb: string): Promise<never> {
    return Promise.reject(
      new Error(`refused: ${verb} of ${this.name}, which comes from REDLOCK_SERVERS and is not ours.`),
    );
  }
}
