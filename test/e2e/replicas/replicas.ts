import type { FleetServer } from '../../support/fleet.js';
import { OwnProcess } from '../../support/process.js';
import { openRelay, type Relay } from '../../support/relay.js';
import { sharedNowMs, type Command, type Report } from './replica.interface.js';

type Replica = OwnProcess<Command, Report | undefined>;

const REPLICA = new URL('replica.ts', import.meta.url);
const NEAR_MS = 1;

/** One round trip to any server but the nearest. */
export const FAR_MS = 20;

/** So long before it is due a replica is told of a tick. */
const NOTICE_MS = 15;

/** A job with a tick a second on the replicas' clocks, fired at shorter distances than that. All in milliseconds. */
export interface Job {
  readonly key: string;
  readonly ticks: number;
  readonly everyMs: number;
  /** How far the clocks of the first and the last replica are apart; the others are in between. Default: 0. */
  readonly skewMs?: number;
  /** How long a run takes. Default: 1. */
  readonly takesMs?: number;
  /** Default: true, as with `@WithLock`. */
  readonly perTick?: boolean;
}

/** Replicas of one application, each in a process of its own, which outlives the application and can boot another one. */
export class Replicas implements AsyncDisposable {
  private readonly processes: readonly Replica[];
  private readonly relays: Relay[] = [];

  constructor(count: number) {
    this.processes = Array.from({ length: count }, () => new OwnProcess<Command, Report | undefined>(REPLICA));
  }

  /** Boots the application in the first `count` processes. Replica i is near to server i, and far from all others. */
  async boot(
    count: number,
    servers: readonly FleetServer[],
    { scheduled = false, nearMs = NEAR_MS, farMs = FAR_MS } = {},
  ): Promise<Application> {
    const replicas = this.processes.slice(0, count);
    const boots = replicas.map(async (replica, index) => {
      const ways = await Promise.all(
        servers.map(({ host, port }, position) =>
          openRelay({ target: { host, port }, delayMs: position === index % servers.length ? nearMs : farMs }),
        ),
      );
      this.relays.push(...ways);
      await replica.ask({ kind: 'boot', servers: ways.map(({ url }) => url), scheduled });
    });
    await Promise.all(boots);
    return new Application(replicas);
  }

  async stop(): Promise<void> {
    await Promise.all(this.processes.map((replica) => replica.stop()));
    await Promise.all(this.relays.map((relay) => relay.close()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/** One application that has booted in several replicas. */
export class Application {
  constructor(private readonly replicas: readonly Replica[]) {}

  /**
   * Every replica fires every tick of the job. The ticks are `everyMs` apart, or further: a tick waits until the calls
   * that were due before it have settled, so that a slow machine takes longer and does not heap them up.
   */
  async fire({ key, ticks, everyMs, skewMs = 0, takesMs = 1, perTick = true }: Job): Promise<void> {
    const calls: Promise<unknown>[] = [];
    let startAtMs = sharedNowMs() + NOTICE_MS;
    for (let tick = 0; tick < ticks; tick++) {
      const own = this.replicas.map((replica, index) => {
        const lateMs = (skewMs * index) / Math.max(1, this.replicas.length - 1);
        const settled = replica.ask({
          kind: 'fire',
          call: { key, tick, dueAtMs: startAtMs + lateMs, takesMs, perTick },
        });
        return { lateMs, settled };
      });
      calls.push(...own.map(({ settled }) => settled));
      await Promise.all(own.filter(({ lateMs }) => lateMs < everyMs).map(({ settled }) => settled));
      startAtMs = Math.max(startAtMs + everyMs, sharedNowMs() + NOTICE_MS);
    }
    await Promise.all(calls);
  }

  /** What each replica has seen. What went past the logger, straight to the terminal, counts as logged. */
  async report(): Promise<Report[]> {
    return await Promise.all(
      this.replicas.map(async (replica) => {
        const report = (await replica.ask({ kind: 'report' }))!;
        return { ...report, logged: [...report.logged, ...replica.output.split('\n').filter((line) => line !== '')] };
      }),
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.replicas.map((replica) => replica.ask({ kind: 'close' })));
  }
}
