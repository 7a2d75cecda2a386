import type { RedlockEvents } from '../redlock.events.js';
import type { RedlockEventName } from '../client/events.js';
import { Board, type Change } from './board.js';
import type { JobsFace } from './jobs-face.js';
import { JobReader } from './job-reader.js';
import { LockReader, type Instance } from './lock-reader.js';
import { UNREAD } from './messages.js';
import { Poller } from './poller.js';
import { idOf, instanceRow, serverRow, type Rows, type TableName } from './rows.js';
import { errorText } from '../core/error-text.js';

/** Another replica's runs are seen so much later at most. */
const JOBS_EVERY_MS = 2_000;

const LOCKS_EVERY_MS = 2_000;

/** Each check takes a lock on each server and gives it back. A change that this process notices is shown at once. */
const SERVERS_EVERY_MS = 5_000;

/** How long what was read before is shown to the first viewer, until it is read again. */
const FRESH_MS = 10_000;

const JOB_EVENTS = ['jobStarted', 'jobSucceeded', 'jobFailed'] as const satisfies readonly RedlockEventName[];

/** Reads what the page shows, once for all viewers, and only while there are some. */
export class Live {
  readonly #board = new Board();
  readonly #notes = new Map<string, readonly string[]>();
  readonly #jobs: Poller;
  readonly #locks: Poller;
  readonly #servers: Poller;
  #listener: ((change: Change) => void) | undefined;
  #stopEvents: readonly (() => void)[] = [];
  #stoppedAtMs = -Infinity;

  constructor(
    private readonly events: Pick<RedlockEvents, 'on'>,
    private readonly instances: readonly Instance[],
    jobs: Pick<JobsFace, 'list' | 'history'>,
  ) {
    const jobReader = new JobReader(jobs);
    const lockReader = new LockReader(instances);
    this.#jobs = this.#poll('jobs', JOBS_EVERY_MS, async () => {
      this.#replace('jobs', await jobReader.read());
    });
    this.#locks = this.#poll('locks', LOCKS_EVERY_MS, async () => {
      const { locks, gaps } = await lockReader.read();
      this.#replace('locks', locks);
      this.#note('gaps', gaps);
    });
    this.#servers = this.#poll('servers', SERVERS_EVERY_MS, () => this.#readServers());
  }

  /** Reads, and calls the listener with each change, until it is stopped. */
  start(listener: (change: Change) => void): void {
    this.#listener = listener;
    if (performance.now() - this.#stoppedAtMs > FRESH_MS) this.#board.clear();
    for (const poller of [this.#servers, this.#jobs, this.#locks]) poller.start();
    this.#stopEvents = [
      ...JOB_EVENTS.map((name) =>
        this.events.on(name, () => {
          this.#jobs.hurry();
        }),
      ),
      this.events.on('serverState', () => {
        this.#servers.hurry();
      }),
    ];
  }

  stop(): void {
    this.#listener = undefined;
    this.#stoppedAtMs = performance.now();
    for (const poller of [this.#servers, this.#jobs, this.#locks]) poller.stop();
    for (const stop of this.#stopEvents) stop();
    this.#stopEvents = [];
  }

  /** What has been read, for a viewer that has nothing yet or has missed changes. */
  all(): Change {
    return this.#board.all();
  }

  /** A button was pressed. */
  hurry(): void {
    this.#jobs.hurry();
    this.#locks.hurry();
  }

  #poll(what: string, everyMs: number, read: () => Promise<void>): Poller {
    return new Poller(everyMs, async () => {
      try {
        await read();
        this.#note(what, []);
      } catch (error) {
        this.#note(what, [UNREAD(what, errorText(error))]);
      }
    });
  }

  async #readServers(): Promise<void> {
    const open = this.instances.filter(({ service }) => !service.isClosed);
    const all = await Promise.all(open.map(async ({ name, service }) => ({ name, health: await service.health() })));
    const instances = all.map(({ name, health }) => [idOf(name), instanceRow(name, health)] as const);
    const servers = all.flatMap(({ name, health }) =>
      health.servers.map((each) => {
        const place = {
          ...(name !== undefined && { instance: name }),
          ...(each.shard !== undefined && { shard: each.shard }),
        };
        return [idOf(name, each.shard, each.server), serverRow(place, each)] as const;
      }),
    );
    this.#replace('instances', new Map(instances));
    this.#replace('servers', new Map(servers));
  }

  /** What keeps a table from being complete or new. */
  #note(about: string, texts: readonly string[]): void {
    this.#notes.set(about, texts);
    const all = [...this.#notes].flatMap(([key, lines]) => lines.map((text) => [idOf(key, text), { text }] as const));
    this.#replace('notes', new Map(all));
  }

  #replace(table: TableName, rows: Rows): void {
    const change = this.#board.replace(table, rows);
    if (change !== undefined) this.#listener?.(change);
  }
}
