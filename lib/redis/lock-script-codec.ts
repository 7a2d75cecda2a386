import type { Holder, NodeReply, NodeRequest } from '../core/ports/lock-node.js';

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

/** The marker's key, its value as it was last seen, and the value that it gets if it is not there. */
export interface Marker {
  readonly key: string;
  readonly expected: string | undefined;
  readonly proposal: string;
}

/** KEYS (after their number) and ARGV of the lock script for a batch of requests. Channels, unlike keys, are shared by all spaces. */
export function encode(requests: readonly NodeRequest[], marker: Marker | undefined, space = ''): (string | number)[] {
  const keys: string[] = marker ? [marker.key] : [];
  const args: (string | number)[] = marker ? [marker.expected ?? '', marker.proposal] : ['-', ''];
  for (const { kind, token, owner, claims, fence = 0, grantedFence = 0 } of requests) {
    args.push(OPS[kind], token, owner, fence, grantedFence, claims.length);
    for (const { key, ttlMs, counter, channel = '' } of claims) {
      keys.push(key);
      args.push(Math.ceil(ttlMs), counter === undefined ? 0 : 1, channel && channel + space);
      if (counter !== undefined) keys.push(counter);
    }
  }
  return [keys.length, ...keys, ...args];
}

/** One reply of the lock script, in the words of the algorithm. */
export function decode(request: NodeRequest, raw: unknown): NodeReply {
  const [code, ...rest] = raw as [number | string, ...(number | string)[]];
  switch (Number(code)) {
    case 1:
      return done(request, Number(rest[0]), Number(rest[1] ?? 0) === 1);
    case 2:
      return { outcome: 'absent' };
    case 3: {
      const cause = new Error('it has lost its data, and may have forgotten locks');
      return { outcome: 'failed', reason: 'untrusted', cause };
    }
    case 0:
      return { outcome: KEPT[request.kind], holder: holderOf(request, rest) };
    default:
      return { outcome: 'failed', reason: 'refused', cause: new Error(String(rest[0])) };
  }
}

function done({ kind }: NodeRequest, number: number, gone: boolean): NodeReply {
  switch (kind) {
    case 'acquire':
      return { outcome: 'granted', fence: number };
    case 'release':
      return { outcome: 'released', heard: number, gone };
    case 'remove':
      return { outcome: 'released', heard: number };
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

function holderOf({ claims }: NodeRequest, [index, value, pttl]: readonly (number | string)[]): Holder {
  const [, token, fence, owner] = /^(\S+) (\d+) (.*)$/s.exec(String(value)) ?? [];
  return {
    key: claims[Number(index) - 1]?.key ?? '',
    token: token ?? String(value),
    fence: Number(fence ?? 0),
    owner: owner ?? 'something that is not a lock of this package',
    // No expiry: not one of our locks, and it will not go away by itself.
    remainingMs: Number(pttl) < 0 ? Infinity : Number(pttl),
  };
}
