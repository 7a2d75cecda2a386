import type { Clock } from '../core/ports/clock.js';
import { withinMs } from '../core/wait.js';
import { call, type Connection } from './connection.js';

/** How many keys the server looks at in one call: about a millisecond of its time, and a few of them come back. */
const COUNT = 1000;

export interface ScanRules {
  /** As Redis matches it: what is not a letter of the text is escaped by {@link literal}. */
  readonly pattern: string;
  /** Of which kind a name that matches is; undefined for one that is not wanted. */
  readonly kindOf: (name: string) => string | undefined;
  /** The scan ends when it would have more names of one kind than this. */
  readonly limit: number;
  /** How many calls may be made at most: each looks at some 1,000 keys. */
  readonly mostCalls: number;
  /** How long one call may take. */
  readonly timeoutMs: number;
}

export interface ScanResult {
  readonly names: ReadonlySet<string>;
  /** Whether all keys of the server have been looked at. */
  readonly isComplete: boolean;
}

/** The names on a server that match, by SCAN with its cursor: no call keeps the server from its other clients, as KEYS would. */
export async function scanKeys(
  connection: Pick<Connection, 'send'>,
  clock: Clock,
  { pattern, kindOf, limit, mostCalls, timeoutMs }: ScanRules,
): Promise<ScanResult> {
  const names = new Set<string>();
  const counts = new Map<string, number>();
  let cursor = '0';
  for (let calls = 0; calls < mostCalls; calls++) {
    const page = call(connection, 'scan', [cursor, 'MATCH', pattern, 'COUNT', COUNT]);
    const reply = await withinMs(clock, page, timeoutMs);
    if (reply === undefined) throw new Error(`no answer within ${timeoutMs} ms`);
    const [next, found] = Array.isArray(reply) ? (reply as unknown[]) : [];
    if (!Array.isArray(found)) throw new Error('it has sent a reply that is not one of SCAN');
    for (const name of found as unknown[]) {
      const kind = typeof name === 'string' && !names.has(name) ? kindOf(name) : undefined;
      if (kind === undefined) continue;
      const count = (counts.get(kind) ?? 0) + 1;
      if (count > limit) return { names, isComplete: false };
      counts.set(kind, count);
      names.add(name as string);
    }
    cursor = String(next);
    if (cursor === '0') return { names, isComplete: true };
  }
  return { names, isComplete: false };
}

/** A text as a pattern that matches this text alone. */
export function literal(text: string): string {
  return text.replaceAll(/[\\*?[\]]/g, '\\$&');
}
