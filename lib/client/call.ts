import type { RunTrigger } from '../core/ports/job-note.js';
import type { Quorum } from '../core/quorum.js';
import type { AcquireOptions, WithLockCallOptions } from '../interfaces/index.js';
import type { LockEvent, TickEvent } from './events.js';
import { callerOf, given, toAcquireSettings, type AcquireSettings, type Caller } from './options/acquire-options.js';
import { refuse } from './options/check.js';
import { toAcquirePlan, type Plan } from './options/acquire-plan.js';
import type { Settings } from './options/module-options.js';
import type { Shards } from './shards.js';

export type CallKind = 'acquire' | 'withLock';

export type Key = string | string[];

/** One call, checked and complete. */
export class Call {
  constructor(
    readonly kind: CallKind,
    readonly quorum: Quorum,
    readonly plan: Plan,
    readonly chosen: AcquireSettings,
    readonly caller: Caller | undefined,
    readonly startedAtMs: number,
  ) {}
}

/** Makes a call of what a caller has given. Throws InvalidOptionsError before anything is done. */
export class CallMaker {
  /** The settings of a call without options. */
  readonly #plain: Record<CallKind, AcquireSettings>;
  readonly #checked: Record<CallKind, WeakMap<object, AcquireSettings>> = {
    acquire: new WeakMap(),
    withLock: new WeakMap(),
  };

  constructor(
    private readonly settings: Settings,
    private readonly shards: Shards,
  ) {
    this.#plain = {
      acquire: toAcquireSettings({}, 'acquire', settings),
      withLock: toAcquireSettings({}, 'withLock', settings),
    };
  }

  make(kind: CallKind, key: Key, ttl: unknown, options: AcquireOptions | WithLockCallOptions | undefined): Call {
    const { settings, shards } = this;
    if ((options as object | null | undefined) === null) throw refuse('options', 'an object', options);
    const chosen = options === undefined ? this.#plain[kind] : this.#settingsOf(kind, options);
    const caller = options && callerOf(options);
    const plan = toAcquirePlan(key, ttl, chosen, settings, kind === 'withLock' ? runOf(chosen, caller) : undefined);
    return new Call(kind, shards.quorumOf(plan.keys), plan, chosen, caller, shards.clock.nowMs());
  }

  /** Frozen options cannot change, so they are checked once: those of a decorator are. A tick is an object that can. */
  #settingsOf(kind: CallKind, options: AcquireOptions | WithLockCallOptions): AcquireSettings {
    if (!Object.isFrozen(options) || options.tick !== undefined)
      return toAcquireSettings(given(options), kind, this.settings);
    let chosen = this.#checked[kind].get(options);
    if (chosen === undefined) {
      chosen = toAcquireSettings(given(options), kind, this.settings);
      this.#checked[kind].set(options, chosen);
    }
    return chosen;
  }

  about({ plan, caller, chosen }: Call): LockEvent & TickEvent {
    const { tick } = chosen;
    const instant = tick !== undefined && 'atMs' in tick ? new Date(tick.atMs) : undefined;
    return {
      keys: plan.keys,
      owner: this.settings.owner,
      ...(caller && { method: caller.method }),
      ...(caller?.job !== undefined && { job: caller.job }),
      ...(instant && { tick: instant }),
    };
  }
}

/** What makes this call the run of a job, if it is one: a decorated method with a schedule, or options that name a job or a tick. */
function runOf({ job, tick }: AcquireSettings, caller: Caller | undefined): RunTrigger | undefined {
  if (caller?.trigger !== undefined) return caller.trigger;
  if (tick !== undefined) return 'schedule';
  return job === undefined ? undefined : 'manual';
}
