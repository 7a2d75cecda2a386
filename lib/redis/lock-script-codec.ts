import { counterLifeMs } from '../core/fencing-number.js';
import type { JobNote } from '../core/ports/job-note.js';
import type { NodeRequest } from '../core/ports/lock-node.js';
import { printable } from '../core/printable.js';
import { NO_PAUSE, pauseWords, runOf, runWords } from '../core/register.js';
import { youngList } from '../core/young-list.js';
import { NO_TOKEN, toNumber } from './lock-script-reply.js';

const OPS = {
  acquire: 'A',
  confirm: 'C',
  extend: 'E',
  heal: 'H',
  release: 'R',
  inspect: 'I',
  remove: 'D',
  tell: 'T',
  steer: 'P',
  read: 'J',
} as const;

/** The key of the marker, its value as this process saw it last, and the value that it gets if there is none, or if it must change. */
export interface Marker {
  readonly key: string;
  readonly expected: string | undefined;
  /** Whether the server may have lost data since, so that this value must change. */
  readonly lost: boolean;
  readonly proposal: string;
}

/**
 * The arguments of EVAL or EVALSHA for a batch of requests: the script, the number of its KEYS, KEYS and ARGV. The keyspace is part of
 * each channel, because all databases of a server share its channels.
 */
export function encode(
  script: string,
  requests: readonly NodeRequest[],
  marker: Marker | undefined,
  keyspace = '',
): (string | number)[] {
  if (!last.isOf(requests, keyspace)) last = new EncodedBatch(requests, keyspace);
  const { keys, text, owners } = last;
  if (marker === undefined) return [script, keys.length, ...keys, '-', '', text, ...owners];
  return [script, keys.length + 1, marker.key, ...keys, expectation(marker), marker.proposal, text, ...owners];
}

/**
 * What a batch is for every server. Requests do not change, and one turn of the event loop sends the same to all servers: so the last batch is kept, and
 * all servers but the first get it as it is.
 *
 * All requests are one text, because a client needs more time to write many arguments than a server needs to parse one text.
 */
class EncodedBatch {
  readonly keys: string[] = youngList();
  readonly owners: string[] = youngList();
  readonly text: string;

  constructor(
    private readonly requests: readonly NodeRequest[],
    private readonly keyspace: string,
  ) {
    let text = '';
    for (const request of requests) text += this.#add(request);
    this.text = text;
  }

  isOf(requests: readonly NodeRequest[], keyspace: string): boolean {
    return (
      requests.length === this.requests.length &&
      keyspace === this.keyspace &&
      requests.every((request, index) => request === this.requests[index])
    );
  }

  /** Its text. */
  #add(request: NodeRequest): string {
    const { kind, token, owner, claims, fence = 0, grantedFence = 0, fenceStart = 0 } = request;
    if (NO_TOKEN.test(token)) throw new Error(`a token of printable ASCII was expected, got "${printable(token, 40)}"`);
    if (claims.length === 0) throw new Error('a request has one claim at least');
    const start = kind === 'acquire' ? fenceStart : fence;
    const count = hasJob(request) ? `0${claims.length}` : claims.length;
    let text = `${OPS[kind]}${indexOf(owner, this.owners) + 1}${flagsOf(request)} ${token} ${start} ${grantedFence} ${count}`;
    for (const claim of claims) {
      const { key, ttlMs, counter, channel } = claim;
      this.keys.push(key);
      if (counter !== undefined) this.keys.push(counter);
      const channelText = channel ? sized(channel + this.keyspace) : '0:';
      text += ` ${Math.ceil(ttlMs)} ${counter === undefined ? 0 : counterLifeMs(claim)} ${channelText}`;
    }
    if (hasJob(request)) {
      this.keys.push(request.job.key);
      text += ` ${sized(jobWords(request))}`;
    }
    return text;
  }
}

let last = new EncodedBatch([], '');

function expectation({ expected = '', lost }: Marker): string {
  return lost ? `!${expected}` : expected;
}

/**
 * The marker as the server has shown it. A process that has expected none hears, too, how long ago another process noticed the
 * loss of data that the marker stands for, if there was one.
 */
export function decodeMarker(raw: unknown): { marker: string; lostForMs: number | undefined } {
  const [marker, lostForMs] = Array.isArray(raw) ? (raw as unknown[]) : [raw];
  return { marker: String(marker), lostForMs: lostForMs === undefined ? undefined : toNumber(lostForMs) || 0 };
}

function flagsOf({ kind, waits = false, waited = false }: NodeRequest): string {
  if (kind !== 'acquire') return '';
  return (waits ? 'w' : '') + (waited ? 'g' : '');
}

type JobRequest = NodeRequest & { readonly job: JobNote };

/** Whether the register of a job is asked for: no confirmation or extension of its lock concerns it. */
function hasJob(request: NodeRequest): request is JobRequest {
  const { kind, job } = request;
  return job !== undefined && (kind === 'acquire' || kind === 'release' || kind === 'steer' || kind === 'read');
}

function jobWords({ kind, owner, job: { start, end }, pause = NO_PAUSE, coveredMs = 0 }: JobRequest): string {
  if (kind === 'read') return '';
  if (kind === 'steer') return pauseWords(pause, coveredMs);
  return runWords(runOf(owner, start, kind === 'release' ? end : undefined));
}

/** A batch nearly always has one owner. */
function indexOf(owner: string, owners: string[]): number {
  const index = owners.indexOf(owner);
  return index >= 0 ? index : owners.push(owner) - 1;
}

function sized(text: string): string {
  return `${Buffer.byteLength(text)}:${text}`;
}
