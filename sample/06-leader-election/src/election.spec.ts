import type { INestApplicationContext } from '@nestjs/common';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Election } from './election.js';
import { startReplica } from './start-replica.js';

let replicas: INestApplicationContext[];
beforeEach(async () => {
  vi.useFakeTimers();
  vi.spyOn(console, 'log').mockReturnValue();
  replicas = [await startReplica(), await startReplica(), await startReplica()];
  await vi.advanceTimersByTimeAsync(10_000);
});
afterEach(async () => {
  for (const app of replicas) await app.close();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const leaders = () => replicas.filter((app) => app.get(Election).isLeader);

it('has one leader of three replicas', () => {
  expect(leaders()).toHaveLength(1);
});

it('has another leader as soon as the first one closes', async () => {
  const [first] = leaders();
  await first?.close();
  await vi.advanceTimersByTimeAsync(100);
  expect(leaders()).toHaveLength(1);
  expect(leaders()).not.toContain(first);
});

it('has one leader again after an operator has removed the lock: the signal of the first has aborted', async () => {
  const [first] = leaders();
  await replicas
    .find((app) => app !== first)
    ?.get(Election)
    .depose();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(leaders()).toHaveLength(1);
  expect(leaders()).not.toContain(first);
});
