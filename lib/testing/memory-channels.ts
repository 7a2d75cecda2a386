import type { Cancel } from '../core/ports/clock.js';
import type { ReleaseListener } from '../core/ports/lock-node.js';

/** Who listens to one server's releases, on which channel. */
export class MemoryChannels {
  readonly #channels = new Map<string, Set<ReleaseListener>>();

  add(channel: string, listener: ReleaseListener): Cancel {
    const listeners = this.#channels.get(channel) ?? new Set();
    this.#channels.set(channel, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#channels.get(channel) === listeners) this.#channels.delete(channel);
    };
  }

  /** Tells those who listen now, each in its turn, and says how many they are. Who has left by then hears nothing. */
  tell(channel: string, inTurn: (deliver: () => void) => void): number {
    const listeners = this.#channels.get(channel) ?? new Set();
    const told = listeners.size;
    for (const listener of listeners) {
      inTurn(() => {
        if (listeners.has(listener)) listener.onReleased(told);
      });
    }
    return told;
  }

  /** Tells everybody whether they hear. */
  setHearing(hears: boolean): void {
    for (const listeners of this.#channels.values()) for (const each of listeners) each.onHearing(hears);
  }
}
