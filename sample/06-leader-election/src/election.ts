import { once } from 'node:events';
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { LockLostError, RedlockService, type Lock } from 'redlock-nestjs';
import { Replica } from './replica.js';

const KEY = 'leader';

@Injectable()
export class Election implements OnApplicationBootstrap {
  isLeader = false;

  constructor(
    private readonly redlock: RedlockService,
    private readonly replica: Replica,
  ) {}

  onApplicationBootstrap(): void {
    void this.takePart(); // Not awaited: most replicas wait for as long as they live.
  }

  /** Waits to become the leader, leads until the lock is lost, and waits again. Ends when the application closes. */
  private async takePart(): Promise<void> {
    const { closing } = this.redlock;
    while (!closing.aborted) {
      try {
        // The ttl is how long there is no leader after its process has died.
        await this.redlock.withLock(KEY, '2s', (lock) => this.lead(lock), { wait: Infinity, signal: closing });
      } catch (error) {
        if (!closing.aborted && !(error instanceof LockLostError)) throw error;
      }
    }
  }

  /** Leads until another replica may lead, or the application closes. All that a leader does must end with this signal. */
  private async lead({ signal, fencingToken }: Lock): Promise<void> {
    const over = AbortSignal.any([signal, this.redlock.closing]);
    this.isLeader = true;
    console.log(`${this.replica.name} leads, with the fencing token ${fencingToken}`);
    if (!over.aborted) await once(over, 'abort');
    this.isLeader = false;
    console.log(`${this.replica.name} does not lead any more: ${signal.aborted ? 'it lost the lock' : 'it closes'}`);
  }

  /** For an operator: the leader notices within its ttl, and another replica leads. */
  async depose(): Promise<void> {
    await this.redlock.forceRelease(KEY);
  }
}
