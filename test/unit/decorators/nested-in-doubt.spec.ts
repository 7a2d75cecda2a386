import { describe, expect, it } from '@jest/globals';
import { WithLock, type RedlockService } from 'redlock-nestjs';
import { lockedMethodsOf } from '../../../lib/decorators/locked-method.js';
import { modelWorld } from '../../support/model-service.js';

function ready<T extends object>(host: T, service: RedlockService): T {
  for (const { property } of lockedMethodsOf(host)) Object.assign(host, { [property]: service });
  return host;
}

describe('P19: an override that calls super after the machine was suspended', () => {
  it('does not wait for itself', async () => {
    const world = modelWorld();
    const seen: string[] = [];
    class Cleanup {
      @WithLock('cleanup', '10s')
      run(): Promise<void> {
        seen.push('base');
        return Promise.resolve();
      }
    }
    class BetterCleanup extends Cleanup {
      @WithLock('cleanup', '10s')
      override async run(): Promise<void> {
        seen.push('derived');
        world.clock.suspend(1000); // The lock has nine seconds left, and the servers will say so.
        await super.run();
      }
    }
    const { error, tookMs } = await world.clock.settle(ready(new BetterCleanup(), world.serve()).run());
    expect({ error, seen, isQuick: tookMs < 1000 }).toEqual({
      error: undefined,
      seen: ['derived', 'base'],
      isQuick: true,
    });
  });
});
