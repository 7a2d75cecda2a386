import type { FleetServer } from '../../support/fleet.js';
import { openRelay, type Relay } from '../../support/relay.js';
import type { Trouble } from '../plan/faults.js';
import type { Absences } from './absences.js';

/** A piece of network of its own between each replica and each server. It stays when the replica is replaced. */
export class Links implements AsyncDisposable {
  private constructor(
    private readonly relays: readonly (readonly Relay[])[],
    private readonly absences: Absences,
  ) {}

  static async open(replicas: number, servers: readonly FleetServer[], absences: Absences): Promise<Links> {
    const relays = await Promise.all(
      Array.from({ length: replicas }, () =>
        Promise.all(servers.map(({ host, port }) => openRelay({ target: { host, port } }))),
      ),
    );
    return new Links(relays, absences);
  }

  urlsOf(replica: number): readonly string[] {
    return this.relays[replica]!.map(({ url }) => url);
  }

  async trouble(replica: number, server: number, trouble: Trouble): Promise<void> {
    const relay = this.relays[replica]![server]!;
    this.absences.begin(server, nameOf(replica));
    switch (trouble.how) {
      case 'cut':
        return await relay.cut();
      case 'stall':
        return relay.stall();
      case 'slow':
        return relay.setDelay(trouble.delayMs, trouble.jitterMs);
      default:
        return trouble satisfies never;
    }
  }

  async mend(replica: number, server: number): Promise<void> {
    const relay = this.relays[replica]![server]!;
    relay.setDelay(0);
    relay.flow();
    await relay.restore();
    this.absences.end(server, nameOf(replica));
  }

  async mendAll(): Promise<void> {
    await Promise.all(this.relays.flatMap((relays, replica) => relays.map((_, server) => this.mend(replica, server))));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.relays.flat().map((relay) => relay.close()));
  }
}

function nameOf(replica: number): string {
  return `in trouble with replica ${replica + 1}`;
}
