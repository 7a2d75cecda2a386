import type { Grant } from '../core/grant.js';
import { Cancellation } from '../core/cancellation.js';
import { RedlockShutdownError, type LockLostError } from '../core/errors/index.js';
import type { HoldOptions } from '../core/hold-options.js';
import { LinkedList } from '../core/linked-list.js';
import { LockHandle } from '../core/lock.js';
import { Look } from '../core/look.js';
import type { Clock } from '../core/ports/clock.js';
import { StringMap } from '../core/string-map.js';
import { withinMs } from '../core/wait.js';
import type { Call, CallMaker } from './call.js';
import type { EventSource } from './event-source.js';
import type { LockEvent } from './events.js';
import { LEFT_BEHIND } from './messages.js';
import { toTtl } from './options/acquire-plan.js';
import type { Settings } from './options/module-options.js';
import type { Shards } from './shards.js';

/** The locks that a client holds and the calls that wait, so that its shutdown can end them. */
export class LockRegistry {
  /** By their tokens. */
  readonly #locks = new StringMap<LockHandle>();
  readonly #waiting = new LinkedList<Cancellation>();
  readonly #look: Look;
  readonly #clock: Clock;
  #closed = false;

  constructor(
    private readonly settings: Settings,
    private readonly shards: Shards,
    private readonly calls: CallMaker,
    private readonly events: EventSource,
  ) {
    this.#clock = shards.clock;
    this.#look = new Look(this.#clock, this.#locks);
  }

  isClosed(): boolean {
    return this.#closed;
  }

  get(token: string): LockHandle | undefined {
    return this.#locks.get(token);
  }

  /** A call that waits, until its signal or the shutdown ends it. */
  beginWait(signal: AbortSignal | undefined): Cancellation {
    const cancellation = new Cancellation(signal);
    cancellation.place = this.#waiting.push(cancellation);
    return cancellation;
  }

  endWait(cancellation: Cancellation): void {
    if (cancellation.place !== undefined) this.#waiting.remove(cancellation.place);
    cancellation.close();
  }

  /** The lock that was granted to the call, held from now on. */
  hold(call: Call, grant: Grant): LockHandle {
    // It is for an error only, and refers to the lock around, whose plan would refer to the one around that, without end.
    call.plan.hint = undefined;
    const about = (): LockEvent => this.calls.about(call);
    const terms = new HoldTerms(this.#clock, this.events, call, about, this.#toTtlMs, () => {
      this.#locks.delete(grant.token);
    });
    const lock = new LockHandle(call.quorum, call.plan, grant, terms);
    terms.lock = lock;
    this.#locks.set(lock.token, lock);
    this.#look.begin();
    return lock;
  }

  /** No more locks: every call that waits rejects. */
  close(): void {
    this.#closed = true;
    for (const cancellation of [...this.#waiting]) cancellation.cancel(new RedlockShutdownError());
  }

  /** Gives up everything that is still held, and waits until what is to be undone or given back has left. */
  async giveUp(): Promise<void> {
    this.#look.end();
    const queues = this.shards.list.flatMap(({ quorum }) => quorum.queues);
    await Promise.all(
      this.#locks.values().map(async (lock) => {
        const failure = await lock.lose('shutdown');
        if (failure instanceof Error) this.#warn(lock, failure);
      }),
    );
    // A waiter that was cancelled releases its votes, and its requests are queued after this.
    await new Promise<void>((resolve) => {
      this.#clock.afterInput(resolve);
    });
    // A server that does not answer in time keeps it until its ttl is over.
    await withinMs(this.#clock, Promise.all(queues.map((queue) => queue.idle())), this.settings.nodeTimeoutMs);
  }

  #warn({ keys }: LockHandle, { message: why }: Error): void {
    this.events.emit('warning', { code: 'left-behind', level: 'warn', message: LEFT_BEHIND(keys, why), keys });
  }

  readonly #toTtlMs = (value: unknown): number => toTtl(value, this.settings);
}

/** How one lock is held, and what the client says of it. */
class HoldTerms implements HoldOptions {
  lock: LockHandle | undefined;
  readonly autoExtend: boolean;
  readonly minHoldMs: number;
  readonly maxHoldMs: number;
  readonly #hadWork: boolean;
  readonly #startedAtMs: number;

  constructor(
    private readonly clock: Clock,
    private readonly events: EventSource,
    { chosen, kind }: Call,
    private readonly about: () => LockEvent,
    readonly toTtlMs: (value: unknown) => number,
    readonly onEnd: () => void,
  ) {
    this.autoExtend = chosen.autoExtend;
    this.minHoldMs = chosen.minHoldMs;
    this.maxHoldMs = chosen.maxHoldMs;
    this.#hadWork = kind === 'withLock';
    this.#startedAtMs = clock.nowMs();
  }

  onExtended(): void {
    if (!this.events.isHeard('extended')) return;
    this.events.emit('extended', { ...this.#aboutLock(), remainingMs: this.lock?.remaining ?? 0 });
  }

  onReleased(): void {
    if (!this.events.isHeard('released')) return;
    this.events.emit('released', { ...this.#aboutLock(), heldMs: this.#heldMs() });
  }

  onLost({ reason, message, votes }: LockLostError): void {
    if (!this.events.isHeard('lost')) return;
    const [heldMs, hadWork] = [this.#heldMs(), this.#hadWork];
    this.events.emit('lost', { ...this.#aboutLock(), reason, heldMs, hadWork, message, votes });
  }

  #aboutLock(): LockEvent & { readonly fencingToken: number } {
    return { ...this.about(), fencingToken: this.lock?.fencingToken ?? 0 };
  }

  #heldMs(): number {
    return this.clock.nowMs() - this.#startedAtMs;
  }
}
