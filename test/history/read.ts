import type { EventOf, History, HistoryEvent } from './events.js';
import {
  settledAtMs,
  type Attempt,
  type Client,
  type Lock,
  type Reading,
  type Removal,
  type Span,
  type Steering,
  type Operations,
} from './operations.js';

type Once = 'cancelled' | 'refused' | 'granted' | 'began' | 'ended' | 'aborted' | 'releasing' | 'released';
type OnceEvent<K extends Once> = EventOf<K> & { readonly attempt: number };
type LiveClient = Client & { pausedAtMs?: number | undefined; suspended?: boolean };

function endPause(client: LiveClient, toMs: number): void {
  const { pausedAtMs: fromMs, suspended = false } = client;
  if (fromMs !== undefined) client.pauses.push({ fromMs, toMs, suspended });
  client.pausedAtMs = undefined;
}

/** Reads a history. Whatever does not fit together becomes a gap. */
export function read({ about, events }: History): Operations {
  const attempts = new Map<number, Attempt>();
  const calls = new Map<number, Attempt['extensions'][number]>();
  const clients = new Map<string, LiveClient>();
  const away: Span[][] = Array.from({ length: about.servers }, () => []);
  const awaySince: (number | undefined)[] = [];
  const befallenAtMs: number[] = [];
  const due: EventOf<'due'>[] = [];
  const removals = new Map<number, Removal>();
  const steerings = new Map<number, Steering>();
  const readings = new Map<number, Reading>();
  const lost: EventOf<'lost'>[] = [];
  const leftovers: EventOf<'leftover'>[] = [];
  const scanned: EventOf<'scanned'>[] = [];
  const gaps: string[] = [];
  const time = { nowMs: -Infinity, over: false };

  /** Notes what may happen once in an attempt, and only after something else. */
  function once<K extends Once>(event: OnceEvent<K>, kind: K, after?: 'granted' | 'releasing' | 'began'): void {
    const attempt = attempts.get(event.attempt);
    const name = `attempt ${event.attempt} was ${kind}`;
    if (attempt === undefined) gaps.push(`${name} and has never been asked for`);
    else if (attempt[kind] !== undefined) gaps.push(`${name} twice`);
    else if (after !== undefined && attempt[after] === undefined) gaps.push(`${name} before it was ${after}`);
    else if (kind === 'granted' ? attempt.refused : kind === 'refused' && attempt.granted) {
      gaps.push(`${name}, and the opposite`);
    } else {
      Object.assign(attempt, { [kind]: event });
      clientOf(attempt.asked.client, kind);
    }
  }

  /** Notes the end of a call, which comes once. */
  function settle<E extends { readonly call: number }>(
    call: { settled?: E } | undefined,
    event: E,
    name: string,
  ): void {
    if (call === undefined) gaps.push(`${name} ${event.call} has settled and has never begun`);
    else if (call.settled) gaps.push(`${name} ${event.call} has settled twice`);
    else call.settled = event;
  }

  /** A client that does something must be there and awake, give or take the tolerance of the recorder. */
  function clientOf(name: string, kind: HistoryEvent['kind']): LiveClient | undefined {
    const client = clients.get(name);
    const { killed, pausedAtMs = Infinity } = client ?? {};
    const awake = kind !== 'resumed' && kind !== 'killed' ? pausedAtMs : Infinity;
    const seen = `${name} was seen (${kind})`;
    if (client === undefined) gaps.push(`${seen} and has never started`);
    else if (killed && time.nowMs > killed.atMs + about.toleranceMs) gaps.push(`${seen} after its end`);
    else if (time.nowMs > awake + about.toleranceMs) gaps.push(`${seen} while it was paused`);
    return client;
  }

  function take(event: HistoryEvent): void {
    switch (event.kind) {
      case 'asked':
        if (attempts.has(event.attempt)) gaps.push(`attempt ${event.attempt} was asked for twice`);
        else attempts.set(event.attempt, { asked: event, extended: [], extensions: [] });
        clientOf(event.client, event.kind);
        return;
      case 'granted':
      case 'refused':
      case 'cancelled':
        return once(event, event.kind);
      case 'began':
      case 'aborted':
      case 'releasing':
        return once(event, event.kind, 'granted');
      case 'ended':
        return once(event, event.kind, 'began');
      case 'released':
        return once(event, event.kind, 'releasing');
      case 'extended':
      case 'extending': {
        const attempt = attempts.get(event.attempt);
        if (attempt?.granted === undefined)
          gaps.push(`attempt ${event.attempt} was ${event.kind} before it was granted`);
        else clientOf(attempt.asked.client, event.kind);
        if (attempt?.granted === undefined) return;
        if (event.kind === 'extended') attempt.extended.push(event);
        else {
          const call = { begun: event };
          attempt.extensions.push(call);
          calls.set(event.call, call);
        }
        return;
      }
      case 'extendSettled':
        return settle(calls.get(event.call), event, 'extension');
      case 'started':
        if (clients.has(event.client)) gaps.push(`${event.client} has started twice`);
        clients.set(event.client, { name: event.client, pauses: [] });
        return;
      case 'emitted': {
        const client = clientOf(event.client, event.kind);
        if (client !== undefined) client.emitted = event;
        return;
      }
      case 'stopped':
      case 'killed': {
        const client = clientOf(event.client, event.kind);
        if (client === undefined) return;
        Object.assign(client, { [event.kind]: event });
        endPause(client, event.atMs);
        return;
      }
      case 'paused': {
        const client = clientOf(event.client, event.kind);
        if (client?.pausedAtMs !== undefined) gaps.push(`${event.client} was paused twice`);
        else if (client) Object.assign(client, { pausedAtMs: event.atMs, suspended: event.suspended === true });
        return;
      }
      case 'resumed': {
        const client = clientOf(event.client, event.kind);
        if (client === undefined) return;
        if (client.pausedAtMs === undefined) gaps.push(`${event.client} was resumed and has never been paused`);
        endPause(client, event.atMs);
        return;
      }
      case 'server': {
        const spans = away[event.server];
        if (spans === undefined) gaps.push(`server ${event.server} is not one of ${about.servers}`);
        else if (event.status === 'away') {
          awaySince[event.server] ??= event.atMs;
          befallenAtMs.push(event.atMs);
        } else if (awaySince[event.server] === undefined)
          gaps.push(`server ${event.server} is up and has never been away`);
        else {
          spans.push({ fromMs: awaySince[event.server] ?? 0, toMs: event.atMs });
          awaySince[event.server] = undefined;
        }
        return;
      }
      case 'due':
        due.push(event);
        return;
      case 'forcing':
        clientOf(event.client, event.kind);
        removals.set(event.call, { begun: event });
        return;
      case 'steering':
        clientOf(event.client, event.kind);
        steerings.set(event.call, { begun: event });
        return;
      case 'reading':
        clientOf(event.client, event.kind);
        readings.set(event.call, { begun: event });
        return;
      case 'forced':
        return settle(removals.get(event.call), event, 'removal');
      case 'steered':
        return settle(steerings.get(event.call), event, 'change of a register');
      case 'readSettled':
        return settle(readings.get(event.call), event, 'reading');
      case 'lost':
        lost.push(event);
        befallenAtMs.push(event.atMs);
        return;
      case 'leftover':
        leftovers.push(event);
        return;
      case 'scanned':
        scanned.push(event);
        return;
      case 'end':
        time.over = true;
        return;
      case 'note':
        return;
      default:
        return event satisfies never;
    }
  }

  for (const event of events) {
    if (time.over) gaps.push('there are events after the end');
    if (event.atMs < time.nowMs) gaps.push(`the events are not in order: ${event.kind} at ${event.atMs}`);
    time.nowMs = Math.max(time.nowMs, event.atMs);
    take(event);
  }
  if (!time.over) gaps.push('the history has no end');
  awaySince.forEach((fromMs, server) => {
    if (fromMs !== undefined) away[server]?.push({ fromMs, toMs: Infinity });
  });
  for (const { name, pausedAtMs } of clients.values())
    if (pausedAtMs !== undefined) gaps.push(`${name} is still paused`);

  for (const { begun, settled } of [...removals.values(), ...steerings.values(), ...readings.values()]) {
    if (settled || clients.get(begun.client)?.killed) continue;
    gaps.push(`nobody knows what became of ${begun.kind === 'forcing' ? 'removal' : begun.kind} ${begun.call}`);
  }
  const all = [...attempts.values()];
  for (const attempt of all) {
    const { asked, cancelled, refused, releasing, released, extensions } = attempt;
    const open = `nobody knows what became of attempt ${asked.attempt}`;
    if (refused?.code === 'CANCELLED' && !cancelled) gaps.push(`${open}: nobody has cancelled it`);
    // A dead process tells nothing, and its silence proves nothing either.
    if (clients.get(asked.client)?.killed) continue;
    if (settledAtMs(attempt) === undefined) gaps.push(open);
    if (releasing && !released) gaps.push(`${open}: its release has not settled`);
    if (extensions.some(({ settled }) => !settled)) gaps.push(`${open}: an extension has not settled`);
  }
  const locks = all.filter((attempt): attempt is Lock => attempt.granted !== undefined);
  const { nowMs: endAtMs } = time;
  return {
    ...{ about, attempts: all, locks, removals: [...removals.values()], clients },
    ...{ steerings: [...steerings.values()], readings: [...readings.values()] },
    ...{ away, befallenAtMs, due, lost, leftovers, scanned, endAtMs, gaps },
  };
}
