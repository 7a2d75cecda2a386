import { describe, expect, it, jest } from '@jest/globals';
import { getEventListeners } from 'node:events';
import { onAbort } from '../../../lib/core/signals.js';
import { modelWorld } from '../../support/model-service.js';

describe('the listeners of a signal', () => {
  it('are one for all who wait, called once each, and none when nothing waits any more', () => {
    const { signal, abort } = controller();
    const heard: number[] = [];
    const cancels = Array.from({ length: 1000 }, (_, index) => onAbort(signal, () => heard.push(index)));
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    for (const cancel of cancels.slice(2)) cancel();
    abort();
    expect(heard).toEqual([0, 1]);
    for (const cancel of cancels) cancel();
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('one that comes when the signal has aborted is called at once', () => {
    const { signal, abort } = controller();
    abort();
    const listener = jest.fn();
    onAbort(signal, listener)();
    expect(listener).toHaveBeenCalledTimes(1);
  });

  it('P14: many waiters on one signal add one listener to it, and all reject with its reason', async () => {
    const world = modelWorld();
    const service = world.serve();
    const { signal, abort } = controller();
    const lock = (await world.clock.settle(service.acquire('job', '60s'))).value!;
    const waiting = Array.from({ length: 2000 }, () => service.acquire('job', '5s', { wait: '30s', signal }));
    const ended = Promise.allSettled(waiting);
    await world.clock.advance(10);
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    abort('enough');
    const reasons = (await world.clock.settle(ended)).value!.map(
      (each) => (each as PromiseRejectedResult).reason as unknown,
    );
    expect(new Set(reasons)).toEqual(new Set(['enough']));
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    await world.clock.settle(lock.release());
  });
});

function controller(): { signal: AbortSignal; abort: (reason?: unknown) => void } {
  const own = new AbortController();
  return {
    signal: own.signal,
    abort: (reason) => {
      own.abort(reason);
    },
  };
}
