import type { FleetServer } from '../fleet.interface.js';
import { openRelay, type Relay } from '../relay.js';
import { scan, send } from './admin.js';
import type { Machine } from './source.js';

/** A server of ours: a machine, the relay in front of it, and the verbs. */
export class OwnServer implements FleetServer {
  private relay: Relay | undefined;
  private paused = false;
  private stopping: Promise<void> | undefined;
  /** The verbs take turns, or a restart could meet a kill half way. */
  private turn: Promise<unknown> = Promise.resolve();

  constructor(
    readonly name: string,
    private readonly machine: Machine,
  ) {}

  get host(): string {
    return this.relay === undefined ? this.machine.host : '127.0.0.1';
  }

  get port(): number {
    return this.relay?.port ?? this.machine.port;
  }

  get url(): string {
    return `redis://${this.host}:${this.port}`;
  }

  get running(): boolean {
    return this.machine.alive;
  }

  async start(direct: boolean): Promise<void> {
    await this.machine.start();
    if (!direct) this.relay = await openRelay({ target: { host: this.machine.host, port: this.machine.port } });
    // However it dies, from here on its relay does as a dead server does.
    this.machine.onDeath = () => void this.relay?.cut();
  }

  kill(): Promise<void> {
    return this.inTurn(() => this.die());
  }

  pause(): Promise<void> {
    return this.inTurn(async () => {
      this.insist('pause');
      await this.machine.freeze();
      this.paused = true;
    });
  }

  resume(): Promise<void> {
    return this.inTurn(async () => {
      this.insist('resume');
      await this.machine.thaw();
      this.paused = false;
    });
  }

  restart({ data = true }: { data?: boolean } = {}): Promise<void> {
    return this.inTurn(async () => {
      await this.die();
      if (!data) await this.machine.wipe();
      await this.machine.start();
      await this.relay?.restore();
    });
  }

  slow(delayMs: number): Promise<void> {
    return this.inTurn(() => {
      if (this.relay === undefined)
        throw new Error(`refused: ${this.name} is direct, there is no relay to slow it down.`);
      this.relay.setDelay(delayMs);
      return Promise.resolve();
    });
  }

  async keys(pattern = '*'): Promise<string[]> {
    return scan(this.adminUrl(), pattern);
  }

  async command(...args: string[]): Promise<unknown> {
    const [command, ...rest] = args;
    if (command === undefined) throw new Error('A command has at least a name.');
    return send(this.adminUrl(), command, ...rest);
  }

  /** After the verb that is under way, before those that wait: they are rejected. */
  stop(): Promise<void> {
    this.stopping ??= this.turn.then(async () => {
      await this.die();
      await this.relay?.close();
    });
    return this.stopping;
  }

  private async die(): Promise<void> {
    this.paused = false;
    await this.machine.kill();
    await this.relay?.cut();
  }

  private inTurn(verb: () => Promise<void>): Promise<void> {
    const result = this.turn.then(() => {
      if (this.stopping !== undefined) throw new Error(`refused: the fleet of ${this.name} has been stopped.`);
      return verb();
    });
    this.turn = result.catch(() => undefined);
    return result;
  }

  private insist(verb: string): void {
    if (!this.running) throw new Error(`refused: ${verb} of ${this.name}, which is dead. restart() it first.`);
  }

  private adminUrl(): string {
    if (!this.running) throw new Error(`refused: ${this.name} is dead. restart() it first.`);
    if (this.paused) throw new Error(`refused: ${this.name} is paused and cannot answer. resume() it first.`);
    return `redis://${this.machine.host}:${this.machine.port}`;
  }
}
