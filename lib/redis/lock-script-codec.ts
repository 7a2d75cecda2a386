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
 * All requests are one text, because a client needs more time to write many arguments than a server needs to parse one text.
 */
export function encode(
  script: string,
  requests: readonly NodeRequest[],
  marker: Marker | undefined,
  keyspace = '',
): (string | number)[] {
  const args: (string | number)[] = [script, 0];
  if (marker !== undefined) args.push(marker.key);
  const owners: string[] = [];
  let text = '';
  for (const request of requests) {
    const { kind, token, owner, claims, fence = 0, grantedFence = 0, fenceStart = 0 } = request;
    if (NO_TOKEN.test(token)) throw new Error(`a token of printable ASCII was expected, got "${printable(token, 40)}"`);
    if (claims.length === 0) throw new Error('a request has one claim at least');
    text += `${OPS[kind]}${indexOf(owner, owners) + 1}${flagsOf(request)} ${token} ${kind === 'acquire' ? fenceStart : fence} ${grantedFence} ${claims.length}`;
    for (const claim of claims) {
      const { key, ttlMs, counter, channel } = claim;
      args.push(key);
      if (counter !== undefined) args.push(counter);
      const channelText = channel ? sized(channel + keyspace) : '0:';
      text += ` ${Math.ceil(ttlMs)} ${counter === undefined ? 0 : counterLifeMs(claim)} ${channelText}`;
    }
  }
  args[1] = args.length - 2;
  args.push(marker ? expectation(marker) : '-', marker?.proposal ?? '', text, ...owners);
  return args;
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

/** Characters that would break the text of the requests. No token contains one, but a hostile server may show any text as a token. */
const NO_TOKEN = /[^!-~]/;

function flagsOf({ kind, waits = false, waited = false }: NodeRequest): string {
  if (kind !== 'acquire') return '';
  return (waits ? 'w' : '') + (waited ? 'g' : '');
}

/** A batch nearly always has one owner. */
function indexOf(owner: string, owners: string[]): number {
  const index = owners.indexOf(owner);
  return index >= 0 ? index : owners.push(owner) - 1;
}

function sized(text: string): string {
  return `${Buffer.byteLength(text)}:${text}`;
}

/** A fencing counter that holds something else than a number, because another program has written to it. */
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

/** Translates one reply of the lock script. A reply of any other form is a failure. */
export function decode(request: NodeRequest, raw: unknown): NodeReply {
  if (!Array.isArray(raw)) return malformed();
  const reply = raw as readonly unknown[];
  switch (toNumber(reply[0])) {
    case 1:
      return done(request, toNumber(reply[1]), toNumber(reply[2]) === 1);
    case 2:
      return ABSENT;
    case 3: {
      const cause = new Error('it has lost its data, and may have forgotten locks');
      return { outcome: 'failed', reason: 'untrusted', cause };
    }
    case 4:
      return refused(new CounterError(request.claims[toNumber(reply[1]) - 1]?.counter ?? '', String(reply[2])));
    case 0:
      // A removal sends this token to the other servers too.
      if (NO_TOKEN.test(String(reply[3]))) return malformed();
      return { outcome: KEPT[request.kind], holder: holderOf(request, reply) };
    case -1:
      return refused(new Error(serverText(String(reply[1]))));
    default:
      return malformed();
  }
}

const ABSENT: NodeReply = { outcome: 'absent' };

function malformed(): Failure {
  return refused(new Error('it has sent a reply that is not one of the lock script'));
}

/** Also takes numbers as text, because a client with `stringNumbers` returns them so. NaN for everything else. */
function toNumber(value: unknown): number {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : NaN;
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

/** The script shows a value that is not a lock of this package under a token with this beginning. */
const FOREIGN = 'foreign:';

export const FOREIGN_OWNER = 'something that is not a lock of this package';

function holderOf({ claims }: NodeRequest, [, index, pttl, token, number, owner]: readonly unknown[]): Holder {
  const fence = toNumber(number);
  const leftMs = toNumber(pttl);
  const isForeign = String(token).startsWith(FOREIGN) || !isFencingNumber(fence);
  return {
    key: claims[toNumber(index) - 1]?.key ?? '',
    token: String(token),
    fence: isForeign ? 0 : fence,
    owner: isForeign ? FOREIGN_OWNER : String(owner),
    // Without an expiry it is not a lock of this package, and stays until it is deleted.
    remainingMs: leftMs >= 0 ? leftMs : Infinity,
  };
}
