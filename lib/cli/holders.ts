import { majorityOf } from '../core/vote.js';
import type { LockInspection, ServerInspection } from '../interfaces/index.js';
import type { ExitCode } from './command.js';
import { cell, duration } from './output.js';

/** What the servers say of a key, in JSON. Times that never end are null. */
export function toJson(inspection: LockInspection): object {
  return { ...inspection, holder: stateOf(inspection) };
}

/** `minority`: some servers have a lock, but no holder has a majority of them. */
export type HolderState = 'majority' | 'minority' | 'none';

export function stateOf({ held, servers }: LockInspection): HolderState {
  if (held) return 'majority';
  return servers.some(({ state }) => state === 'held') ? 'minority' : 'none';
}

/** Holder, time left, fencing token, and on how many servers: of the majority, or of the holder with most servers. */
export function holderCells(inspection: LockInspection): [string, string, string, string] {
  const first = mostCommon(inspection.servers);
  const { owner, remainingMs, fencingToken } = inspection.held ? inspection : (first[0] ?? {});
  const token = fencingToken === undefined || fencingToken === 0 ? '-' : String(fencingToken);
  const count = `${first.length} of ${inspection.servers.length}`;
  const share = inspection.held ? count : `${count}: no majority, so it is not held`;
  return [cell(owner ?? '-'), duration(remainingMs), token, share];
}

/** The servers with the token that most of them have. */
function mostCommon(servers: readonly ServerInspection[]): readonly ServerInspection[] {
  const held = servers.filter(({ state }) => state === 'held');
  const groups = held.map((first) => held.filter(({ token }) => token === first.token));
  return groups.toSorted((one, other) => other.length - one.length)[0] ?? [];
}

/** Whether enough servers have answered. */
export function exitCodeOf(servers: readonly { readonly state: string }[], failed: string): ExitCode {
  const answered = servers.filter(({ state }) => state !== failed).length;
  if (answered < majorityOf(servers.length)) return 2;
  return answered < servers.length ? 1 : 0;
}
