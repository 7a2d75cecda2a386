import type { Clock } from '../core/ports/clock.js';
import type { EventSource } from './event-source.js';
import type { QuorumEvent, RedlockEvent } from './events.js';
import { LineLimit } from './line-limit.js';

/** Where the lines go: a `Logger` of Nest is one. */
export interface LineWriter {
  log(line: string): void;
  warn(line: string): void;
  error(line: string): void;
  debug(line: string): void;
}

type Level = keyof LineWriter;

/**
 * Writes the log of a client: one subscriber of its events, and the only place that writes about servers, locks and runs.
 *
 * Levels: `error` is for what a person must see to, `warn` for what may need one, and the end of an outage has the level of its
 * beginning. What is as it should be is `debug` (a run, a skip) or `log` (at boot).
 */
export class EventLog {
  readonly #servers = new Map<string, LineLimit>();
  readonly #quorums = new Map<number, LineLimit>();
  /** What was written last of a server or a quorum that changes all the time: the end of it is written later. */
  readonly #latest = new Map<LineLimit, () => void>();

  constructor(
    events: EventSource,
    private readonly writer: LineWriter,
    private readonly clock: Clock,
  ) {
    events.on('serverState', (event) => {
      this.#writeServer(event);
    });
    events.on('quorumLost', (event) => {
      this.#writeQuorum(event);
    });
    events.on('quorumRegained', (event) => {
      this.#writeQuorum(event);
    });
    events.on('warning', ({ level, message, server }) => {
      writer[level](server === undefined ? message : `Server ${server} ${message}.`);
    });
    events.on('lost', ({ hadWork, reason, message }) => {
      // Where a lock was acquired by hand, its end may be what was meant; its signal tells. Work under it was not to be cut off.
      if (hadWork && reason !== 'shutdown') writer.warn(`${message} ${WORK_GOES_ON}`);
    });
    events.on('skipped', (event) => {
      this.#writeSkip(event);
    });
    events.on('jobSucceeded', ({ method, tick, durationMs }) => {
      writer.debug(`${method} has run on this replica${ofTick(tick)}, in ${Math.round(durationMs)} ms.`);
    });
    events.on('jobFailed', ({ method, tick, durationMs }) => {
      writer.debug(`${method} has failed on this replica${ofTick(tick)}, after ${Math.round(durationMs)} ms.`);
    });
    events.on('jobOverdue', ({ method, tick, byMs, reason }) => {
      // Of a call that met no majority the scheduler writes the error.
      if (reason === 'missed')
        writer.error(`${method} is overdue${ofTick(tick)}: no replica has run that tick for ${long(byMs)}.`);
    });
  }

  #writeSkip({ method, reason, message, tick }: RedlockEvent<'skipped'>): void {
    // That a call did not get the lock is as it should be. That no call at all may have got it is not.
    const level = reason === 'undecided' ? 'warn' : 'debug';
    // The caller, or the scheduler, writes the error of a call that met no majority.
    if (reason === 'unreachable') return;
    const what = method === undefined ? '' : `: ${method}${ofTick(tick)}`;
    this.writer[level](`Skipped (${reason})${what}. ${message}`);
  }

  #writeServer(event: RedlockEvent<'serverState'>): void {
    const { server, state, previous, servers } = event;
    // A server that votes as soon as it is connected for the first time is what is expected.
    if (state === 'ready' && previous === 'connecting') return;
    // The loss of the only server is the loss of the quorum, and one line says both.
    const level = servers === 1 ? 'error' : 'warn';
    this.#writeLimited(this.#servers, server, level, `Server ${server} ${serverText(event)}`);
  }

  #writeQuorum(event: RedlockEvent<'quorumLost' | 'quorumRegained'>): void {
    const { shard, servers } = event;
    if (servers === 1) return;
    const name = shard === undefined ? 'The quorum' : `The quorum of shard ${shard}`;
    this.#writeLimited(this.#quorums, shard ?? 0, 'error', `${name} ${quorumText(event)}`);
  }

  #writeLimited<K>(limits: Map<K, LineLimit>, key: K, level: Level, text: string): void {
    let limit = limits.get(key);
    if (limit === undefined) {
      const made = new LineLimit(this.clock, () => this.#latest.get(made)?.());
      limits.set(key, (limit = made));
    }
    const more = limit.next();
    if (more !== undefined) this.writer[level](`${text}${more}.`);
    else {
      this.#latest.set(limit, () => {
        this.#writeLimited(limits, key, level, text);
      });
    }
  }
}

const WORK_GOES_ON = 'The work under it goes on unless it heeds lock.signal, and its result is given up.';

/** What has happened, what it means, and for how long it was so. */
function serverText(event: RedlockEvent<'serverState'>): string {
  const { state, message, servers, notVotingMs, quarantineMs = 0, tickQuarantineMs: ticksMs } = event;
  const isOnly = servers === 1;
  const meaning = isOnly ? 'no lock can be granted until it votes again' : countText(event);
  if (state === 'ready') {
    const but =
      ticksMs === undefined ? '' : `; on ticks and longer holds it does not vote for up to ${long(ticksMs)} more`;
    return `votes again, after ${long(notVotingMs)}${isOnly ? '' : `; ${meaning}`}${but}`;
  }
  if (state !== 'quarantined') return `${message}; ${meaning}`;
  const more = ticksMs === undefined ? '' : ` (on ticks and longer holds for up to ${long(ticksMs)})`;
  return `${message} for ${long(quarantineMs)}${more}, until those locks have expired; ${meaning}`;
}

function quorumText(event: RedlockEvent<'quorumLost' | 'quorumRegained'>): string {
  const count = countText(event);
  if (event.type === 'quorumRegained')
    return `is back, after ${long(event.lostForMs)}: ${count}. Locks are granted again${ticksText(event)}`;
  return `is lost: ${count}. No lock can be granted, and no locked job runs, until that many vote`;
}

function ticksText({ tickQuarantineMs }: RedlockEvent<'quorumRegained'>): string {
  return tickQuarantineMs === undefined ? '' : `, and the ticks of jobs in up to ${long(tickQuarantineMs)}`;
}

function countText({ voting, servers, needed }: QuorumEvent): string {
  return `${voting} of ${servers} servers vote, and ${needed} ${needed === 1 ? 'is' : 'are'} needed`;
}

function ofTick(tick: Date | undefined): string {
  return tick === undefined ? '' : `, tick ${tick.toISOString()}`;
}

/** Exact to about one part in a hundred. */
function long(durationMs: number): string {
  const seconds = durationMs / 1000;
  if (seconds < 10) return `${Math.round(durationMs)} ms`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}
