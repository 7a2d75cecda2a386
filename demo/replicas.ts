import type { TickMessage } from './messages.js';
import { ReplicaProcess } from './replica-process.js';

export interface ReplicasListener {
  onTick(replica: ReplicaProcess, message: TickMessage): void;
  /** Something that a person should see: an error, or an unexpected end. */
  onTrouble(text: string): void;
}

/** The replicas: three at first, and one more for each that was killed. */
export class Replicas implements AsyncDisposable {
  private readonly all: ReplicaProcess[] = [];

  constructor(
    private readonly urls: readonly string[],
    private readonly listener: ReplicasListener,
  ) {}

  /** The replicas that are up, and have no command to stop. */
  get alive(): readonly ReplicaProcess[] {
    return this.all.filter((replica) => replica.alive && replica.readyAtMs < Infinity);
  }

  /** Starts one more. `ready` of the result says when it is up. */
  add(): ReplicaProcess {
    const name = `replica-${this.all.length + 1}`;
    const replica: ReplicaProcess = new ReplicaProcess(name, this.urls, {
      onMessage: (message) => {
        if (message.kind === 'tick') this.listener.onTick(replica, message);
        else if (message.kind === 'error') this.listener.onTrouble(`${name}: ${message.error}`);
      },
      onComplaint: (line) => {
        this.listener.onTrouble(`${name}: ${line}`);
      },
      onCrash: (how) => {
        this.listener.onTrouble(how);
      },
    });
    this.all.push(replica);
    return replica;
  }

  async stop(): Promise<void> {
    await Promise.all(this.all.map((replica) => replica.stop()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
