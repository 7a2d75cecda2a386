import type { LockNode } from '../../core/ports/lock-node.js';
import { askNode } from './ask-node.js';
import { call, type Connection } from '../../redis/connection.js';

/** The marker by which a server shows that it still has its data, as it is. */
export interface MarkerLook {
  readonly isThere: boolean;
  /** When a process noticed the loss of data that it tells of, by the clock of the server; undefined where it tells of none. */
  readonly lostAtMs?: number;
}

/** Looks at the marker, and leaves it as it is: the lock script would write one that is missing. */
export async function lookAtMarker(
  node: Pick<LockNode, 'execute'>,
  connection: Pick<Connection, 'send'>,
  key: string,
): Promise<MarkerLook> {
  const reply = await askNode(node, { kind: 'inspect', token: '-', owner: '', claims: [{ key, ttlMs: 0 }] });
  if (reply.outcome === 'failed') throw reply.cause;
  if (reply.outcome !== 'seen') return { isThere: false };
  const [, time] = /@(\d{1,15})$/.exec(String(await call(connection, 'getrange', [key, 0, 99]))) ?? [];
  return { isThere: true, ...(time !== undefined && { lostAtMs: Number(time) }) };
}
