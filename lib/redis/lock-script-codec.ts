import { counterLifeMs, FENCING_LIMIT, isFencingNumber } from '../core/fencing-number.js';
import type { Failure, Holder, NodeReply, NodeRequest } from '../core/ports/lock-node.js';
import { printable } from '../core/printable.js';
import { serverText } from './server-text.js';

const OPS = {
  acquire: 'A',
  confirm: 'C',
  extend: 'E',
  heal: 'H',
  release: 'R',
  inspect: 'I',
  remove: 'D',
  tell: 'T',
} as const;

/** The marker's key, its value as it was last seen, and the value that it gets if it is not there, or must change. */
export interface Marker {
  readonly key: string;
  readonly expected: string | undefined;
  /** Whether the server may have lost data since, so that this value must change. */
  readonly lost: boolean;
  readonly proposal: string;
}

/**
 * KEYS (after their number) and ARGV of the lock script for a batch of requests. Channels, unlike keys, are shared by all spaces.
 * All requests are one text, because a client takes longer to write many arguments than a server to read them out of one.
 */
export function encode(requests: readonly NodeRequest[], marker: Marker | undefined, space = ''): (string | number)[] {
  const keys: string[] = marker ? [marker.key] : [];
  const owners: string[] = [];
  let text = '';
  for (const request of requests) {
    const { kind, token, owner, claims, fence = 0, grantedFence = 0, fenceStart = 0 } = request;
    if (NO_TOKEN.test(token)) throw new Error(`a token of printable ASCII was expected, got "${printable(token, 40)}"`);
    if (claims.length === 0) throw new Error('a request has one claim at least');
    text += `${OPS[kind]}${indexOf(owner, owners) + 1}${flagsOf(request)} ${token} ${kind === 'acquire' ? fenceStart : fence} ${grantedFence} ${claims.length}`;
    for (const claim of claims) {
      const { key, ttlMs, counter, channel } = claim;
      keys.push(key);
      if (counter !== undefined) keys.push(counter);
      text += ` ${Math.ceil(ttlMs)} ${counter === undefined ? 0 : counterLifeMs(claim)} `;
      text += channel ? sized(channel + space) : '0:';
    }
  }
  return [keys.length, ...keys, marker ? expectation(marker) : '-', marker?.proposal ?? '', text, ...owners];
}

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

/** What would break the text of the requests. A token never has it, but a server that is not one of ours may show anything as one. */
const NO_TOKEN = /[^!-~]/;

function flagsOf({ kind, waits = false, waited = false }: NodeRequest): string {
  if (kind !== 'acquire') return '';
  return (waits ? 'w' : '') + (waited ? 'g' : '');
}

/** Nearly always there is one. */
function indexOf(owner: string, owners: string[]): number {
  const index = owners.indexOf(owner);
  return index >= 0 ? index : owners.push(owner) - 1;
}

function sized(text: string): string {
  return `${Buffer.byteLength(text)}:${text}`;
}

/** A counter of fencing tokens that cannot be counted on: something else has written to it. */
export class CounterError extends Error {
  constructor(
    readonly counter: string,
    holds: string,
  ) {
    super(
      `the counter of its fencing tokens, "${printable(counter)}", holds ${printable(holds)} instead of a whole number below ` +
        `${FENCING_LIMIT}. Another program must have written it: delete that key on this server, and it counts on from the time of day`,
    );
  }
}

/** One reply of the lock script, in the words of the algorithm. A reply of any other form is a failure. */
export function decode(request: NodeRequest, raw: unknown): NodeReply {
  const [code, ...rest] = Array.isArray(raw) ? (raw as unknown[]) : [];
  const [first, second] = rest;
  switch (toNumber(code)) {
    case 1:
      return done(request, toNumber(first), toNumber(second) === 1);
    case 2:
      return { outcome: 'absent' };
    case 3: {
      const cause = new Error('it has lost its data, and may have forgotten locks');
      return { outcome: 'failed', reason: 'untrusted', cause };
    }
    case 4:
      return refused(new CounterError(request.claims[toNumber(first) - 1]?.counter ?? '', String(second)));
    case 0:
      // Its token is sent to the other servers, too, when the lock is removed.
      if (NO_TOKEN.test(String(rest[2]))) return malformed();
      return { outcome: KEPT[request.kind], holder: holderOf(request, rest) };
    case -1:
      return refused(new Error(serverText(String(first))));
    default:
      return malformed();
  }
}

function malformed(): Failure {
  return refused(new Error('it has sent a reply that is not one of the lock script'));
}

/** A client with `stringNumbers` gives numbers as text. NaN for everything else. */
function toNumber(value: unknown): number {
  const isNumber = typeof value === 'number' || (typeof value === 'string' && /^-?\d+$/.test(value));
  return isNumber ? Number(value) : NaN;
}

function refused(cause: Error): Failure {
  return { outcome: 'failed', reason: 'refused', cause };
}

function done({ kind }: NodeRequest, number: number, gone: boolean): NodeReply {
  switch (kind) {
    case 'acquire':
      if (isFencingNumber(number)) return { outcome: 'granted', fence: number };
      return refused(new Error(`it has granted the lock under ${number}, which is no fencing token`));
    case 'release':
      return { outcome: 'released', heard: number || 0, gone };
    case 'remove':
      return { outcome: 'released', heard: number || 0 };
    default:
      return { outcome: DONE[kind] };
  }
}

const DONE = { confirm: 'confirmed', extend: 'renewed', heal: 'renewed', inspect: 'absent', tell: 'told' } as const;
const KEPT = {
  acquire: 'denied',
  confirm: 'taken',
  extend: 'taken',
  heal: 'taken',
  release: 'taken',
  inspect: 'seen',
  remove: 'taken',
  tell: 'taken',
} as const;

/** The token of what is not a lock of this package begins so. */
const FOREIGN = 'foreign:';

export const FOREIGN_OWNER = 'something that is not a lock of this package';

function holderOf({ claims }: NodeRequest, [index, pttl, token, number, owner]: readonly unknown[]): Holder {
  const fence = toNumber(number);
  const leftMs = toNumber(pttl);
  const isForeign = String(token).startsWith(FOREIGN) || !isFencingNumber(fence);
  return {
    key: claims[toNumber(index) - 1]?.key ?? '',
    token: String(token),
    fence: isForeign ? 0 : fence,
    owner: isForeign ? FOREIGN_OWNER : String(owner),
    // No expiry: not one of our locks, and it will not go away by itself.
    remainingMs: leftMs >= 0 ? leftMs : Infinity,
  };
}
