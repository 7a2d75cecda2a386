import { check } from '../../history/check.js';
import type { About, CheckerName, EventOf, History, HistoryEvent } from '../../history/events.js';
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

  refused(atMs: number, attempt: number, code = 'LOCK_CONTENDED'): this {
    return this.add({ kind: 'refused', atMs, attempt, code });
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
