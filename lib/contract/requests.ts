import type { Claim, NodeRequest } from '../core/ports/lock-node.js';

export type Pair = readonly [key: string, ttlMs: number];

export function make(kind: NodeRequest['kind'], token: string, pairs: readonly Pair[]): NodeRequest {
  const claims = pairs.map(([key, ttlMs]): Claim => ({ key, ttlMs }));
  return { kind, token, owner: `owner of ${token}`, claims };
}

export const acquire = (token: string, ...pairs: Pair[]): NodeRequest => make('acquire', token, pairs);
export const extend = (token: string, ...pairs: Pair[]): NodeRequest => make('extend', token, pairs);
export const heal = (token: string, ...pairs: Pair[]): NodeRequest => make('heal', token, pairs);
export const release = (token: string, ...pairs: Pair[]): NodeRequest => make('release', token, pairs);
export const remove = (token: string, key: string): NodeRequest => make('remove', token, [[key, 0]]);

/** On a channel for each of its claims. */
export const telling = (request: NodeRequest, channel: string): NodeRequest => ({
  ...request,
  claims: request.claims.map((claim) => ({ ...claim, channel })),
});

/** If it is denied, it listens. */
export const waiting = (request: NodeRequest): NodeRequest => ({ ...request, waits: true });

/** With a counter for each of its claims. */
export function counted(kind: NodeRequest['kind'], token: string, ...keys: string[]): NodeRequest {
  const claims = keys.map((key): Claim => ({ key, ttlMs: 5000, counter: `{${key}}:fence` }));
  return { ...make(kind, token, []), claims };
}
