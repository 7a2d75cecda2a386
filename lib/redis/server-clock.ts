import type { Clock } from '../core/ports/clock.js';
import { call, type Connection } from './connection.js';

/** How far the time of day of a server is ahead of that of this machine, in milliseconds; negative where it is behind. */
export async function clockOffsetMs(connection: Pick<Connection, 'send'>, clock: Clock): Promise<number> {
  const sentAtMs = clock.nowMs();
  const wallAtMs = clock.wallMs();
  const reply = await call(connection, 'time', []);
  const tripMs = clock.nowMs() - sentAtMs;
  const [seconds, microseconds] = Array.isArray(reply) ? reply.map(Number) : [];
  const serverMs = Number(seconds) * 1000 + Number(microseconds) / 1000;
  if (!Number.isFinite(serverMs)) throw new Error('it has sent a reply that is not one of TIME');
  // The server has read its clock half way between the question and the answer, as far as this process can know.
  return Math.round(serverMs - (wallAtMs + tripMs / 2));
}
