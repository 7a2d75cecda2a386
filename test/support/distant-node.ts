import type { Cancel } from '../../lib/core/ports/clock.js';
import type { LockNode, NodeRequest, NodeState, ReleaseListener } from '../../lib/core/ports/lock-node.js';
import type { VirtualClock } from './virtual-clock.js';

/** A node as seen from far away: the way there and back takes so much longer, in order; the way back half of it, if nothing is said. */
export class DistantNode implements LockNode {
  constructor(
    private readonly node: LockNode,
    private readonly clock: VirtualClock,
    private readonly delayMs: number,
    private readonly backMs = delayMs / 2,
  ) {}

  get name(): string {
    return this.node.name;
  }

  ensureConnected(): NodeState {
    return this.node.ensureConnected();
  }

  onRequest(request: NodeRequest): void {
    this.node.onRequest?.(request);
  }

  reasonNotToVote(request: NodeRequest): Error | undefined {
    return this.node.reasonNotToVote(request);
  }

  onChange(listener: () => void): void {
    this.node.onChange(listener);
  }

  listen(channel: string, { onHearing, onReleased }: ReleaseListener): Cancel {
    return this.node.listen(channel, {
      onHearing: (hears) => void this.#travel(this.backMs).then(() => onHearing(hears)),
      onReleased: (told) => void this.#travel(this.backMs).then(() => onReleased(told)),
    });
  }

  execute(...[requests, onReplies, onError]: Parameters<LockNode['execute']>): void {
    const back = <T>(deliver: (value: T) => void) => {
      return (value: T) => void this.clock.after(this.backMs, () => deliver(value));
    };
    this.clock.after(this.delayMs - this.backMs, () => {
      this.node.execute(requests, back(onReplies), onError);
    });
  }

  #travel(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.clock.after(ms, resolve);
    });
  }
}
