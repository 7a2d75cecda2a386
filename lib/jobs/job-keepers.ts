import type { SkipReason } from '../client/events.js';
import type { LockClient } from '../client/lock-client.js';
import { isOneOff } from '../decorators/one-off.js';
import { clientOf } from '../decorators/delays.js';
import type { RedlockService } from '../redlock.service.js';
import type { Job } from './job.js';
import { JobKeeper } from './job-keeper.js';

/** Why a firing skips a tick that runs elsewhere, or needs no run. */
const SETTLED: ReadonlySet<SkipReason> = new Set(['locked', 'already-ran', 'paused']);

/** Watches over the ticks of the jobs of one instance of the module, until the application shuts down. */
export class JobKeepers {
  readonly #keepers = new Map<Job, JobKeeper>();
  /** By what the events say: several hosts may have one method. */
  readonly #byMethod = new Map<string, Set<JobKeeper>>();
  #hears = { denials: false, servers: false };
  /** The shards of which too few servers vote. */
  readonly #lost = new Set<number>();

  constructor(private readonly service: RedlockService) {}

  start(job: Job): void {
    const client = clientOf(this.service);
    if (client === undefined || isOneOff() || !job.hasTicks || this.#keepers.has(job)) return;
    const keeper = new JobKeeper(job, client, () => this.#lost.has(shardOf(job, client)));
    this.#keepers.set(job, keeper);
    const { label } = job.method;
    this.#byMethod.set(label, (this.#byMethod.get(label) ?? new Set()).add(keeper));
    this.#hear(keeper);
    keeper.start();
  }

  stop(job: Job): void {
    const keeper = this.#keepers.get(job);
    if (keeper === undefined) return;
    keeper.stop();
    this.#keepers.delete(job);
    this.#byMethod.get(job.method.label)?.delete(keeper);
  }

  /** An event that is not needed is not made: the subscriptions come with the first job that needs them. */
  #hear(keeper: JobKeeper): void {
    if (!this.#hears.servers) {
      this.#hearServers();
      this.#hearRuns();
      this.#hears.servers = true;
    }
    if (keeper.needsDenials && !this.#hears.denials) {
      this.service.client.events.on('contended', (event) => {
        this.#tell(event, (each, tickMs) => {
          each.onDenied(tickMs, event);
        });
      });
      this.#hears.denials = true;
    }
  }

  #hearServers(): void {
    const { client, closing } = this.service;
    client.events.on('quorumLost', ({ shard = 0 }) => this.#lost.add(shard));
    client.events.on('quorumRegained', ({ shard = 0 }) => {
      this.#lost.delete(shard);
      for (const [job, each] of this.#keepers) if (shardOf(job, client) === shard) each.onQuorumRegained();
    });
    client.events.on('unreachable', (event) => {
      this.#tell(event, (each, tickMs) => {
        each.onDenied(tickMs, { reason: 'unreachable', remainingMs: 0 });
      });
    });
    closing.addEventListener('abort', () => {
      for (const each of this.#keepers.values()) each.stop();
    });
  }

  /** The log hears of each skip in any case, so these events are made for it already. */
  #hearRuns(): void {
    const { events } = this.service.client;
    events.on('jobStarted', (event) => {
      this.#tell(event, (each, tickMs) => {
        each.onSettled(tickMs, true);
      });
    });
    events.on('skipped', (event) => {
      if (!SETTLED.has(event.reason)) return;
      this.#tell(event, (each, tickMs) => {
        each.onSettled(tickMs, event.reason !== 'locked');
      });
    });
  }

  #tell(
    { method, job, tick }: { readonly method?: string; readonly job?: string; readonly tick?: Date },
    what: (keeper: JobKeeper, tickMs: number) => void,
  ): void {
    if (method === undefined || tick === undefined) return;
    for (const keeper of this.#byMethod.get(method) ?? []) {
      if (keeper.job.name === job) what(keeper, tick.getTime());
    }
  }
}

/** The position of the shard that has its keys. */
function shardOf({ place }: Job, { shards }: LockClient): number {
  const [key] = [place?.keys ?? []].flat();
  return key === undefined ? 0 : shards.list.findIndex(({ quorum }) => quorum === shards.quorumOf([key]));
}
