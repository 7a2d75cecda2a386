import { check } from '../../history/check.js';
import type {
  About,
  CheckerName,
  EventOf,
  History,
  HistoryEvent,
  RecordSeen,
  RunSeen,
  RunTrigger,
} from '../../history/events.js';
import type { Verdict } from '../../history/verdict.js';

const ABOUT: About = {
  servers: 3,
  driftFactor: 0,
  toleranceMs: 0,
  graceMs: 50,
  mostOvertakes: 3,
  mostIdleMs: 200,
  courtesyMs: 100,
};

interface Run {
  readonly trigger?: RunTrigger;
  readonly tickAtMs?: number;
  /** For how long it works. Default: it never ends. */
  readonly heldMs?: number;
  readonly failed?: true;
}

/** Histories written down by hand, in words that are shorter than the events. */
export class Script {
  readonly #events: HistoryEvent[] = [];
  #calls = 0;

  constructor(
    private readonly clients: readonly string[] = ['a', 'b', 'c'],
    private readonly about: Partial<About> = {},
  ) {
    for (const client of clients) this.add({ kind: 'started', atMs: 0, client });
  }

  add(...events: HistoryEvent[]): this {
    this.#events.push(...events);
    return this;
  }

  asked(atMs: number, attempt: number, client: string, more: Partial<EventOf<'asked'>> = {}): this {
    const rest = { keys: ['k'], ttlMs: 1000, waitMs: 0, nodeTimeoutMs: 100 };
    return this.add({ kind: 'asked', atMs, client, attempt, ...rest, ...more });
  }

  granted(atMs: number, attempt: number, fence: number | null, validUntilMs = atMs + 900): this {
    return this.add({ kind: 'granted', atMs, attempt, token: `token-${attempt}`, fence, validUntilMs });
  }

  refused(atMs: number, attempt: number, code = 'LOCK_CONTENDED', reason?: string): this {
    return this.add({ kind: 'refused', atMs, attempt, code, ...(reason !== undefined && { reason }) });
  }

  /** Asked for and granted 10 ms later, given back after the time that it is held. */
  lock(
    atMs: number,
    attempt: number,
    client: string,
    fence: number,
    heldMs: number,
    more: Partial<EventOf<'asked'>> = {},
  ): this {
    return this.asked(atMs, attempt, client, more)
      .granted(atMs + 10, attempt, fence)
      .released(atMs + 10 + heldMs, attempt);
  }

  /** A tick of "k" that these fire at once; the first of them runs it for 20 ms. */
  tick(atMs: number, attempt: number, replicas: readonly string[], { runs = true } = {}): this {
    const tick = { atMs: 60_000 + atMs, periodMs: 1000 };
    this.add({ kind: 'due', atMs, keys: ['k'], tickAtMs: tick.atMs, untilMs: atMs + 100, replicas });
    replicas.forEach((replica, index) => this.asked(atMs, attempt + index, replica, { tick }));
    if (runs) this.granted(atMs + 10, attempt, attempt).add({ kind: 'began', atMs: atMs + 10, attempt });
    replicas.forEach((_, index) => {
      if (index > 0 || !runs) this.refused(atMs + 10, attempt + index);
    });
    return runs ? this.add({ kind: 'ended', atMs: atMs + 30, attempt }).released(atMs + 30, attempt) : this;
  }

  extended(atMs: number, attempt: number, validUntilMs: number): this {
    return this.add({ kind: 'extended', atMs, attempt, validUntilMs });
  }

  extension(atMs: number, attempt: number, ttlMs: number, tookMs: number): this {
    const call = this.#calls++;
    return this.add(
      { kind: 'extending', atMs, attempt, call, ttlMs },
      { kind: 'extendSettled', atMs: atMs + tookMs, call },
    );
  }

  aborted(atMs: number, attempt: number, reason = 'expired'): this {
    return this.add({ kind: 'aborted', atMs, attempt, reason });
  }

  released(atMs: number, attempt: number, tookMs = 10): this {
    return this.add({ kind: 'releasing', atMs, attempt }, { kind: 'released', atMs: atMs + tookMs, attempt });
  }

  removal(atMs: number, untilMs: number, client: string, key = 'k', everywhere = true): this {
    const call = this.#calls++;
    return this.add({ kind: 'forcing', atMs, client, call, key }, { kind: 'forced', atMs: untilMs, call, everywhere });
  }

  /** A run of the job "k", asked for and granted 10 ms later. It works until the lock is released, if it is. */
  run(
    atMs: number,
    attempt: number,
    client: string,
    { trigger = 'schedule', tickAtMs, heldMs, failed }: Run = {},
  ): this {
    const tick = tickAtMs === undefined ? {} : { tick: { atMs: tickAtMs, periodMs: 1000 } };
    this.asked(atMs, attempt, client, { job: 'k', trigger, ...tick }).granted(atMs + 10, attempt, attempt);
    this.add({ kind: 'began', atMs: atMs + 10, attempt });
    if (heldMs === undefined) return this;
    const endAtMs = atMs + 10 + heldMs;
    return this.add({ kind: 'ended', atMs: endAtMs, attempt, ...(failed && { failed }) }).released(endAtMs, attempt);
  }

  /** A run of the job "k" that is asked for and refused 10 ms later. */
  norun(
    atMs: number,
    attempt: number,
    client: string,
    reason: string,
    { trigger = 'schedule', tickAtMs }: Run = {},
  ): this {
    const tick = tickAtMs === undefined ? {} : { tick: { atMs: tickAtMs, periodMs: 1000 } };
    const script = this.asked(atMs, attempt, client, { job: 'k', trigger, ...tick });
    return script.refused(atMs + 10, attempt, 'LOCK_CONTENDED', reason);
  }

  steering(
    atMs: number,
    client: string,
    what: 'pause' | 'resume' | 'cover',
    { tookMs = 10, code, ...more }: { tookMs?: number; code?: string; forMs?: number; tickAtMs?: number } = {},
  ): this {
    const call = this.#calls++;
    this.add({ kind: 'steering', atMs, client, call, job: 'k', what, nodeTimeoutMs: 100, ...more });
    return this.add({ kind: 'steered', atMs: atMs + tookMs, call, ...(code !== undefined && { code }) });
  }

  /** A reading of the job "k" that takes 10 ms. */
  reading(
    atMs: number,
    client: string,
    runs: readonly (Partial<RunSeen> & { attempt: number })[],
    more: Partial<RecordSeen> & { tookMs?: number } = {},
  ): this {
    const call = this.#calls++;
    const { tookMs = 10, ...rest } = more;
    this.add({ kind: 'reading', atMs, client, call, job: 'k', nodeTimeoutMs: 100 });
    const seen = runs.map(({ attempt, ...run }): RunSeen => {
      const token = `token-${attempt}`;
      return { token, owner: 'a', trigger: 'schedule', tickMs: 0, outcome: 'succeeded', ...run };
    });
    const record = { pausedLeftMs: 0, coveredMs: 0, runs: seen, ...rest };
    return this.add({ kind: 'readSettled', atMs: atMs + tookMs, call, record });
  }

  loss(atMs: number, server: number): this {
    return this.add({ kind: 'lost', atMs, server });
  }

  server(atMs: number, server: number, status: 'up' | 'away'): this {
    return this.add({ kind: 'server', atMs, server, status, why: 'a test' });
  }

  client(atMs: number, kind: 'paused' | 'resumed' | 'killed' | 'stopped', client: string): this {
    return this.add({ kind, atMs, client });
  }

  leftover(atMs: number, server: number, token: string, ttlLeftMs: number | null = 100, key = 'k'): this {
    return this.add({ kind: 'leftover', atMs, server, key, token, ttlLeftMs });
  }

  /** The history, in order, scanned and ended at this instant. */
  end(atMs: number): History {
    const events = this.#events.toSorted((one, other) => one.atMs - other.atMs);
    const scanned = Array.from({ length: ABOUT.servers }, (_, server): HistoryEvent => ({
      kind: 'scanned',
      atMs,
      server,
    }));
    return { about: { ...ABOUT, ...this.about }, events: [...events, ...scanned, { kind: 'end', atMs }] };
  }
}

export function verdictOf(checker: CheckerName, history: History): Verdict {
  const verdict = check(history).find((each) => each.checker === checker);
  if (verdict === undefined) throw new Error(`There is no checker "${checker}".`);
  return verdict;
}

/** The kinds of the events that prove each violation, or what else the verdict is. */
export function proofOf(checker: CheckerName, history: History): string[] | string {
  const verdict = verdictOf(checker, history);
  if (verdict.outcome !== 'violated') return verdict.outcome;
  return verdict.violations.map(({ events }) => events.map(({ kind }) => kind).join(' '));
}
