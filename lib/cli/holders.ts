import { carriersIn, undecidedBy } from '../client/inspection.js';
import { majorityOf } from '../core/vote.js';
import type { LockInspection } from '../interfaces/index.js';
import type { ExitCode } from './command.js';
import { cell, duration } from './output.js';

/** What the servers say of a key, in JSON. Times that never end are null. */
export function toJson(inspection: LockInspection): object {
  return { ...inspection, holder: stateOf(inspection) };
}

/** `minority`: some servers have a lock, but no holder has a majority of them. `unknown`: too few have answered to say that. */
export type HolderState = 'majority' | 'minority' | 'none' | 'unknown';

export function stateOf(inspection: LockInspection): HolderState {
  const { held, servers } = inspection;
  if (held) return 'majority';
  if (undecidedBy(inspection) > 0) return 'unknown';
  return servers.some(({ state }) => state === 'held') ? 'minority' : 'none';
}

/** Holder, time left, fencing token, and on how many servers: of the majority, or of the holder with most servers. */
export function holderCells(inspection: LockInspection): [string, string, string, string] {
  const first = carriersIn(inspection.servers);
  const { owner, remainingMs, fencingToken } = inspection.held ? inspection : (first[0] ?? {});
  const token = fencingToken === undefined || fencingToken === 0 ? '-' : String(fencingToken);
  const count = `${first.length} of ${inspection.servers.length}`;
  return [cell(owner ?? '-'), duration(remainingMs), token, `${count}${meaningOf(inspection)}`];
}

/** What it means that so many servers have it. */
function meaningOf(inspection: LockInspection): string {
  const unanswered = undecidedBy(inspection);
  if (unanswered > 0) return `, and ${haveNotAnswered(unanswered)}: it may be held`;
  return inspection.held ? '' : ': no majority, so it is not held';
}

export function haveNotAnswered(servers: number): string {
  return `${servers} ${servers === 1 ? 'has' : 'have'} not answered`;
}

/** Whether enough servers have answered. */
export function exitCodeOf(servers: readonly { readonly state: string }[], failed: string): ExitCode {
  const answered = servers.filter(({ state }) => state !== failed).length;
  if (answered < majorityOf(servers.length)) return 2;
  return answered < servers.length ? 1 : 0;
}
