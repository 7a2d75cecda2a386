import type { Holder, NodeReply, NodeRequest } from '../core/ports/lock-node.js';

const OPS = { acquire: 'A', extend: 'E', release: 'R' } as const;

/** KEYS (after their number) and ARGV of the lock script for a batch of requests. */
export function encode(requests: readonly NodeRequest[]): (string | number)[] {
  const keys: string[] = [];
  const args: (string | number)[] = [];
  for (const { kind, token, owner, claims } of requests) {
    args.push(OPS[kind], token, owner, claims.length);
    for (const { key, ttlMs } of claims) {
      keys.push(key);
      args.push(Math.ceil(ttlMs));
    }
  }
  return [keys.length, ...keys, ...args];
}

/** One reply of the lock script, in the words of the algorithm. */
export function decode(request: NodeRequest, raw: unknown): NodeReply {
  const [code, ...rest] = raw as [number | string, ...(number | string)[]];
  switch (Number(code)) {
    case 1:
      return { outcome: DONE[request.kind] };
    case 2:
      return { outcome: 'absent' };
    case 0:
      return { outcome: request.kind === 'acquire' ? 'denied' : 'taken', holder: holderOf(request, rest) };
    default:
      return { outcome: 'failed', reason: 'refused', cause: new Error(String(rest[0])) };
  }
}

const DONE = { acquire: 'granted', extend: 'renewed', release: 'released' } as const;

function holderOf({ claims }: NodeRequest, [index, value, pttl]: readonly (number | string)[]): Holder {
  const text = String(value);
  const space = text.indexOf(' ');
  return {
    key: claims[Number(index) - 1]?.key ?? '',
    token: space < 0 ? text : text.slice(0, space),
    owner: space < 0 ? 'something that is not a lock of this package' : text.slice(space + 1),
    // No expiry: not one of our locks, and it will not go away by itself.
    remainingMs: Number(pttl) < 0 ? Infinity : Number(pttl),
  };
}
