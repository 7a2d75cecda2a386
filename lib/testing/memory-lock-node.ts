import type { Cancel, Clock } from '../core/ports/clock.js';
import type { LockNode, NodeReply, NodeRequest, NodeState, ReleaseListener } from '../core/ports/lock-node.js';
import type { MemoryChannels } from './memory-channels.js';
import type { MemoryStore } from './memory-store.js';

/** So many round trips may follow one another without that timers and input get their turn. */
const MOST_TRIPS_A_TURN = 10;

/** A lock node that is always ready, because what it asks is in this process. Several may ask the same. */
export class MemoryLockNode implements LockNode {
  #tripsThisTurn = 0;

  constructor(
    readonly name: string,
    private readonly store: MemoryStore,
    private readonly channels: MemoryChannels,
    private readonly clock: Pick<Clock, 'afterInput'>,
  ) {}

  ensureConnected(): NodeState {
    return { status: 'ready' };
  }

  reasonNotToVote(): undefined {
    return undefined;
  }

  onChange(): void {
    // Nothing ever changes.
  }

  execute(requests: readonly NodeRequest[], onReplies: (replies: readonly NodeReply[]) => void): void {
    const replies = requests.map((request) => this.store.carryOut(request));
    if (this.#tripsThisTurn++ === 0) {
      this.clock.afterInput(() => {
        this.#tripsThisTurn = 0;
      });
    }
    // No network comes between the requests here, and without a turn of the event loop the extensions of other locks would be late.
    if (this.#tripsThisTurn <= MOST_TRIPS_A_TURN) onReplies(replies);
    else {
      this.clock.afterInput(() => {
        onReplies(replies);
      });
    }
  }

  listen(channel: string, listener: ReleaseListener): Cancel {
    const cancel = this.channels.add(channel, listener);
    listener.onHearing(true);
    return cancel;
  }
}
