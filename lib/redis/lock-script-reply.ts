import { refused, untrusted } from '../core/failures.js';
import { FENCING_LIMIT, isFencingNumber } from '../core/fencing-number.js';
import { COVERED, PAUSED } from '../core/ports/job-note.js';
import type { Failure, Holder, NodeReply, NodeRequest } from '../core/ports/lock-node.js';
import { printable } from '../core/printable.js';
import { decodeText, LONGEST_REGISTER } from '../core/register.js';
import { serverText } from './server-text.js';

/** Characters that would break the text of the requests. No token contains one, but a hostile server may show any text as a token. */
export const NO_TOKEN = /[^!-~]/;

/** `+n` stands for [1, n]. */
const SHORT = /^\+\d{1,16}$/;

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
  if (typeof raw === 'string') return SHORT.test(raw) ? done(request, Number(raw)) : malformed();
  if (!Array.isArray(raw)) return malformed();
  const reply = raw as readonly unknown[];
  switch (toNumber(reply[0])) {
    case 1:
      return request.kind === 'read' ? registerIn(request, reply) : done(request, toNumber(reply[1]), reply[2]);
    case 2:
      return ABSENT;
    case 3:
      return untrusted(new Error('it has lost its data, and may have forgotten locks'));
    case 4:
      return refused(new CounterError(request.claims[toNumber(reply[1]) - 1]?.counter ?? '', String(reply[2])));
    case 0: {
      const holder = holderOf(request, reply);
      return holder === undefined ? malformed() : { outcome: keptOutcome(request.kind), holder };
    }
    case 5:
    case 6:
      return request.kind === 'acquire' && request.job ? denied(request, request.job.key, reply) : malformed();
    case 7:
      return refused(new Error(`the register of its job, "${printable(request.job?.key ?? '')}", ${NO_TEXT}`));
    case -1:
      return refused(new Error(serverText(String(reply[1]))));
    default:
      return malformed();
  }
}

const NO_TEXT = 'is something else than a text. Another program must have written it: delete that key on this server';

const ABSENT: NodeReply = { outcome: 'absent' };

function malformed(): Failure {
  return refused(new Error('it has sent a reply that is not one of the lock script'));
}

/** Also takes numbers as text, because a client with `stringNumbers` returns them so. NaN for everything else. */
export function toNumber(value: unknown): number {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : NaN;
}

/** @param more releases: whether it was gone already. Acquires for a job: the version of the last pause */
function done({ kind, job }: NodeRequest, number: number, more?: unknown): NodeReply {
  switch (kind) {
    case 'acquire':
      if (!isFencingNumber(number)) {
        return refused(new Error(`it has granted the lock under ${number}, which is no fencing token`));
      }
      if (job === undefined) return { outcome: 'granted', fence: number };
      return { outcome: 'granted', fence: number, pauseVersion: countOr0(more) };
    case 'release':
      return { outcome: 'released', heard: number || 0, gone: toNumber(more) === 1 };
    case 'remove':
      return { outcome: 'released', heard: number || 0 };
    case 'read':
      return malformed();
    default:
      return { outcome: DONE[kind] };
  }
}

/** A server that shows no number in this place has none. */
function countOr0(value: unknown): number {
  const number = toNumber(value);
  return isFencingNumber(number) ? number : 0;
}

function registerIn(request: NodeRequest, [, text, nowMs, pttl, ...whose]: readonly unknown[]): NodeReply {
  const holder = pttl === undefined ? undefined : holderOf(request, [0, 1, pttl, ...whose]);
  if (typeof text !== 'string' || (pttl !== undefined && holder === undefined)) return malformed();
  return { outcome: 'read', register: text.slice(0, LONGEST_REGISTER), nowMs: countOr0(nowMs), holder };
}

/** The register has denied it: {5, version, left, reason} because the job is paused, {6, owner} because the tick needs no run any more. */
function denied({ claims }: NodeRequest, jobKey: string, [code, ...rest]: readonly unknown[]): NodeReply {
  const [owner, fence, leftMs] =
    toNumber(code) === 5 ? [rest[2], countOr0(rest[0]), toNumber(rest[1])] : [rest[0], 0, 0];
  const [key, token] = toNumber(code) === 5 ? [jobKey, PAUSED] : [claims.at(-1)?.key ?? '', COVERED];
  const remainingMs = leftMs >= 0 ? leftMs : Infinity;
  return { outcome: 'denied', holder: { key, token, owner: decodeText(String(owner)), fence, remainingMs } };
}

const DONE = {
  confirm: 'confirmed',
  extend: 'renewed',
  heal: 'renewed',
  inspect: 'absent',
  tell: 'told',
  steer: 'steered',
} as const;

/** What it is called that another token has a key. */
function keptOutcome(kind: NodeRequest['kind']): 'denied' | 'seen' | 'taken' {
  if (kind === 'acquire') return 'denied';
  return kind === 'inspect' ? 'seen' : 'taken';
}

/** The script shows a value that is not a lock of this package under a token with this beginning. */
const FOREIGN = 'foreign:';

export const FOREIGN_OWNER = 'something that is not a lock of this package';

/** A removal sends this token to the other servers too, so it must be one. */
function holderOf(
  { claims }: NodeRequest,
  [, index, pttl, token, number, owner]: readonly unknown[],
): Holder | undefined {
  if (NO_TOKEN.test(String(token))) return undefined;
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
