import type { LockClient } from '../../client/lock-client.js';
import { counterKey, lockKey, markerKey, tickKey } from '../../client/keys.js';
import { redisOf, type Server } from '../../client/shards.js';
import type { Clock } from '../../core/ports/clock.js';
import { withinMs } from '../../core/wait.js';
import type { ServerHealth } from '../../interfaces/index.js';
import { tryChannels } from './channel-trial.js';
import { lookAtMarker, type MarkerLook } from './marker-look.js';
import { tryLock, type TrialFailure } from './lock-trial.js';
import { clockOffsetMs } from '../../redis/server-clock.js';
import type { ServerInfo } from '../../redis/server-info.js';

/** What is known of one server. A check that could not be made has no outcome. */
export interface Examination {
  readonly health: ServerHealth;
  readonly info?: ServerInfo | undefined;
  readonly offsetMs?: number | undefined;
  /** The marker of the prefix, which each process writes that uses locks. */
  readonly marker?: MarkerLook | undefined;
  /** How long ago a process noticed that the server had lost its data. */
  readonly lostForMs?: number | undefined;
  /** The first step of a trial lock that it has refused. */
  readonly trial?: TrialFailure | undefined;
  /** Why waiters are not notified through it. */
  readonly channels?: string | undefined;
}

/** What a server does not let this user hear never comes. */
const CHANNELS_MS = 1000;

/** A lock that is not given back is gone after this time. */
const TRIAL_MS = 5000;

/** Looks at each server, as the module would. It leaves nothing behind but the counter of its trial lock, for ten seconds. */
export async function examine(client: LockClient, timeoutMs: number): Promise<Examination[]> {
  const { servers, clock } = client.shards;
  const health = await client.health();
  return await Promise.all(
    servers.map(async (server, index): Promise<Examination> => {
      const own = health.servers[index];
      if (own === undefined) throw new Error('Each server has its health.');
      const base = { health: own, info: server.watch.info };
      if (own.state !== 'ready' && own.state !== 'refusing') return base;
      const examiner = new Examiner(server, clock, timeoutMs, client.settings.keyPrefix);
      const [offsetMs, marker] = [await examiner.offsetMs(), await examiner.marker()];
      const { lostAtMs } = marker ?? {};
      const lostForMs = lostAtMs === undefined ? undefined : clock.wallMs() + (offsetMs ?? 0) - lostAtMs;
      const looked = { ...base, offsetMs, marker, lostForMs };
      return own.state === 'ready' ? { ...looked, ...(await examiner.tryLocks()) } : looked;
    }),
  );
}

/** The checks of one server. None of them rejects. */
class Examiner {
  constructor(
    private readonly server: Server,
    private readonly clock: Clock,
    private readonly timeoutMs: number,
    private readonly prefix: string,
  ) {}

  async offsetMs(): Promise<number | undefined> {
    return await this.#within(clockOffsetMs(redisOf(this.server), this.clock)).catch(() => undefined);
  }

  async marker(): Promise<MarkerLook | undefined> {
    return await this.#within(lookAtMarker(this.server.node, redisOf(this.server), markerKey(this.prefix))).catch(
      () => undefined,
    );
  }

  async tryLocks(): Promise<Pick<Examination, 'trial' | 'channels'>> {
    const token = `doctor.${process.pid}.${Math.random().toString(36).slice(2)}`;
    const key = lockKey(this.prefix, `trial of ${token}`);
    const base = { ttlMs: TRIAL_MS, channel: key };
    const claims = [
      { ...base, key, counter: counterKey(key) },
      { ...base, key: tickKey([key], 0) },
    ];
    try {
      const trial = await this.#within(tryLock(this.server.node, claims, token));
      const channels = await tryChannels(this.server.node, this.clock, key, Math.min(this.timeoutMs, CHANNELS_MS));
      return { trial, channels };
    } catch (error) {
      return { trial: { step: 'acquire', message: (error as Error).message } };
    }
  }

  async #within<T>(check: Promise<T>): Promise<T> {
    const outcome = await withinMs(
      this.clock,
      check.then((value) => ({ value })),
      this.timeoutMs,
    );
    if (outcome === undefined) throw new Error(`no answer within ${this.timeoutMs} ms`);
    return outcome.value;
  }
}
