import type { Attributes, BatchObservableCallback, Meter, Observable } from '@opentelemetry/api';
import type { RedlockHealth, ServerState, ShardHealth } from '../interfaces/index.js';
import { attributesOf, SERVER, SERVER_STATE, SHARD } from './attributes.js';
import type { HealthReader } from './health-reader.js';

const STATES = [
  'ready',
  'connecting',
  'down',
  'silent',
  'refusing',
  'quarantined',
] as const satisfies readonly ServerState[];

type Observe = (observable: Observable, value: number, attributes: Attributes) => void;

/** Gauges of the servers of one instance, from `health()`. */
export class ServerMetrics {
  readonly #servers: Observable;
  readonly #margin: Observable;
  readonly #latency: Observable;
  readonly #offset: Observable;

  constructor(
    private readonly meter: Meter,
    private readonly reader: HealthReader,
    private readonly instance: string | undefined,
  ) {
    this.#servers = meter.createObservableGauge('redlock.servers', {
      unit: '{server}',
      description: 'How many servers are in each state. Only those that are ready vote.',
    });
    this.#margin = meter.createObservableGauge('redlock.quorum.margin', {
      unit: '{server}',
      description: 'How many more servers vote than a lock needs. No lock can be granted where it is negative.',
    });
    this.#latency = meter.createObservableGauge('redlock.server.latency', {
      unit: 's',
      description: 'How long it took to take a lock on this server and to give it back.',
    });
    this.#offset = meter.createObservableGauge('redlock.server.clock.offset', {
      unit: 's',
      description: 'How far the clock of this server is ahead of that of this process. No lock depends on it.',
    });
  }

  #observeServers(servers: RedlockHealth['servers'], observe: Observe): void {
    for (const { server, shard, latencyMs, clockOffsetMs } of servers) {
      const about = { [SERVER]: server, ...(shard !== undefined && { [SHARD]: shard }) };
      if (latencyMs !== undefined) observe(this.#latency, latencyMs / 1000, about);
      if (clockOffsetMs !== undefined) observe(this.#offset, clockOffsetMs / 1000, about);
    }
  }

  /** Returns what ends it: the meter outlives the application. */
  record(): () => void {
    const observables = [this.#servers, this.#margin, this.#latency, this.#offset];
    const about = attributesOf(this.instance === undefined ? {} : { instance: this.instance });
    const callback: BatchObservableCallback = async (result) => {
      const health = await this.reader.read();
      if (health === undefined) return;
      this.#observe(health, (observable, value, attributes) => {
        result.observe(observable, value, { ...about, ...attributes });
      });
    };
    this.meter.addBatchObservableCallback(callback, observables);
    return () => {
      this.meter.removeBatchObservableCallback(callback, observables);
    };
  }

  #observe({ servers, shards, voting, needed }: RedlockHealth, observe: Observe): void {
    const groups: readonly (Pick<ShardHealth, 'voting' | 'needed'> & { readonly shard?: number })[] = shards?.map(
      (each, shard) => ({ ...each, shard }),
    ) ?? [{ voting, needed }];
    for (const { shard, ...group } of groups) {
      const ofShard = shard === undefined ? {} : { [SHARD]: shard };
      observe(this.#margin, group.voting - group.needed, ofShard);
      // A state without servers is 0, so that a graph shows its end.
      for (const state of STATES) {
        const count = servers.filter((each) => each.shard === shard && each.state === state).length;
        observe(this.#servers, count, { ...ofShard, [SERVER_STATE]: state });
      }
    }
    this.#observeServers(servers, observe);
  }
}
