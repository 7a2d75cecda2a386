import type { Examination } from './examine.js';
import { finding, type Finding } from './judge.js';

/** Clocks that are synchronised are a few milliseconds apart. */
const MOST_APART_MS = 1000;

/** Servers whose clocks are more than a second apart from each other, and this machine where its clock is so from theirs. */
export function clockFindings(servers: readonly Examination[]): Finding[] {
  const read = servers.flatMap(({ health: { server }, offsetMs }) =>
    offsetMs === undefined ? [] : [{ server, offsetMs }],
  );
  if (read.length === 0) return [];
  const offsets = read.map(({ offsetMs }) => offsetMs);
  const usualMs = medianOf(offsets);
  const areApart = Math.max(...offsets) - Math.min(...offsets) > MOST_APART_MS;
  const found = read
    // Of clocks that are a second apart one is half a second from the middle.
    .filter(({ offsetMs }) => areApart && Math.abs(offsetMs - usualMs) > MOST_APART_MS / 2)
    .map(({ server, offsetMs }) => finding('clock', server, apart(offsetMs - usualMs)));
  if (Math.abs(usualMs) > MOST_APART_MS) found.push(finding('clock-here', undefined, apart(-usualMs)));
  return found;
}

function medianOf(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((one, other) => one - other);
  const [low = 0, high = 0] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[Math.floor(sorted.length / 2)]];
  return (low + high) / 2;
}

function apart(offsetMs: number): string {
  return `${(Math.abs(offsetMs) / 1000).toFixed(1)} s ${offsetMs > 0 ? 'ahead' : 'behind'}`;
}
