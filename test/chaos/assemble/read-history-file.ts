import { existsSync, readFileSync } from 'node:fs';
import type { HistoryEvent } from '../../history/events.js';
import { pulseOf } from '../history-writer.js';

export interface HistoryFile {
  readonly events: readonly HistoryEvent[];
  /** The last sign of life of the process that wrote the file. */
  readonly signAtMs: number;
}

/** The events that a process has written. An unfinished last line does not count. */
export function readHistoryFile(file: string): HistoryFile {
  if (!existsSync(file)) return { events: [], signAtMs: -Infinity };
  const text = readFileSync(file, 'utf8');
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  const events = lines.filter((line) => line !== '').map((line) => JSON.parse(line) as HistoryEvent);
  const pulse = existsSync(pulseOf(file)) ? readFileSync(pulseOf(file)) : Buffer.alloc(0);
  const pulseAtMs = pulse.length === 8 ? pulse.readDoubleLE() : -Infinity;
  return { events, signAtMs: Math.max(pulseAtMs, ...events.slice(-1).map(({ atMs }) => atMs)) };
}
