import type { Cancel } from '../core/ports/clock.js';
import type { LockNode, NodeReply, NodeRequest, NodeState, ReleaseListener } from '../core/ports/lock-node.js';
import type { MemoryChannels } from './memory-channels.js';
import type { MemoryStore } from './memory-store.js';

/** A lock node that is always ready, because what it asks is in this process. Several may ask the same. */
export class MemoryLockNode implements LockNode {
  constructor(
    readonly name: string,
    private readonly store: MemoryStore,
    private readonly channels: MemoryChannels,
  ) {}

  reach(): NodeState {
    return { status: 'ready' };
  }

  objection(): undefined {
    return undefined;
  }

  onChange(): void {
    // Nothing ever changes.
  }

  execute(requests: readonly NodeRequest[]): Promise<readonly NodeReply[]> {
    return Promise.resolve(requests.map((request) => this.store.carryOut(request)));
  }

  listen(channel: string, listener: ReleaseListener): Cancel {
    const cancel = this.channels.add(channel, listener);
    listener.onHearing(true);
    return cancel;
  }
}
