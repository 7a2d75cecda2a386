import { afterEach, expect, it, vi } from 'vitest';
import { startReplica } from './start-replica.js';

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

it('sends the invoices once a second, on one of three replicas', async () => {
  vi.useFakeTimers({ now: new Date(2026, 0, 31, 12, 0, 0, 500) });
  const log = vi.spyOn(console, 'log').mockReturnValue();
  const replicas = [await startReplica(), await startReplica(), await startReplica()];
  await vi.advanceTimersByTimeAsync(10_000);
  for (const replica of replicas) await replica.close();
  const times = log.mock.calls.map(([line]) => String(line).slice(0, 8));
  expect(times).toEqual(Array.from({ length: 10 }, (_, second) => `12:00:${String(second + 1).padStart(2, '0')}`));
});
