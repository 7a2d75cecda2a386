import type { About, EventOf } from '../history/events.js';
import { markerKey } from '../../lib/client/keys.js';
import type { Chance } from './chance.js';
import { Kernel } from './kernel.js';
import { Machine } from './machine.js';
import { EPOCH_MS, ModelServer, type Stored } from './model-server.js';
import { Host, Link } from './network.js';
import type { Plan } from './plan.js';
import { Recorder } from './recorder.js';
import { SimProcess } from './sim-process.js';

/** The period of the schedule that replicas have in common. */
export const TICK_MS = 1000;

const PREFIX = 'redlock:';
const MARKER = markerKey(PREFIX);
/** As in lib/core/wait-queue.ts. */
const LONGEST_COURTESY_MS = 250;
/** Two timers, one after the other, are late by less than this in all. */
const TOLERANCE_MS = 2;

/** A process, and how wrong its wall clock is. */
export interface Member {
  readonly process: SimProcess;
  readonly skewMs: number;
  status: 'alive' | 'stopping' | 'gone';
  /** How much it is doing. */
  busy: number;
}

/** What a server has forgotten, until every process has noticed and trusts it again. */
interface Loss {
  readonly atMs: number;
  readonly end: () => void;
  /** Since when every process trusts it, as far as it has noticed by then. */
  trustedAtMs?: number | undefined;
}

/** The servers and processes of one schedule, and what is known of them from outside. */
export class World {
  readonly kernel = new Kernel();
  readonly recorder = new Recorder(this.kernel);
  readonly hosts: readonly Host[];
  readonly members: Member[] = [];
  /** How often something has happened that a schedule is there for. */
  readonly coverage = new Map<string, number>();
  /** What each server had a while ago. */
  readonly snapshots: Map<string, Stored>[];
  /** Called with each process that begins, and that is gone. */
  onStart: (member: Member) => void = () => undefined;
  onGone: (member: Member) => void = () => undefined;
  readonly #outages: number[];
  /** Servers that have lost their data, while somebody may not have noticed or does not trust them again: when, on their clock. */
  readonly #lost = new Map<number, Loss>();

  constructor(
    readonly plan: Plan,
    readonly chance: Chance,
  ) {
    const { profile, options, servers, serverSkewMs } = plan;
    this.hosts = Array.from({ length: servers }, (_, number) => {
      const rate =
        profile === 'wild clocks' ? chance.ratio(0.7, 1.4) : serverSkewMs === 0 ? 1 : this.#rate(options.driftFactor);
      const clock = { offsetMs: serverSkewMs * (chance.next() - 0.5), rate };
      const host = new Host(new ModelServer(number, this.kernel, clock, profile !== 'snapshot' && chance.happens(0.6)));
      host.model.onOperation = (op, [, reply]) => {
        this.count(reply === undefined ? 'script for the marker' : `script ${op} ${(reply as [number])[0]}`);
      };
      host.model.onCopy = () => {
        this.count('command copied');
      };
      return host;
    });
    this.#outages = this.hosts.map(() => 0);
    this.recorder.onCall.push((kind) => {
      this.#onCall(kind);
    });
    this.snapshots = this.hosts.map(() => new Map<string, Stored>());
    if (profile === 'snapshot') this.#takeSnapshots();
  }

  /** How long before and after its time a tick may be fired, by the clocks of the replicas. */
  get spreadMs(): number {
    return this.plan.skewMs / 2 + 50;
  }

  /** The first tick that nobody can have fired before the beginning. */
  get firstTick(): number {
    return Math.floor(this.spreadMs / TICK_MS) + 1;
  }

  count(what: string): void {
    this.coverage.set(what, (this.coverage.get(what) ?? 0) + 1);
  }

  get alive(): Member[] {
    return this.members.filter(({ status }) => status === 'alive');
  }

  /** A process starts, and connects. */
  start(): Member {
    const { plan, chance, kernel, recorder } = this;
    const name = `p${this.members.length}`;
    const timekeeping = {
      originMs: chance.between(0, 1e9),
      rate: this.#rate(plan.options.driftFactor),
      lateMs: plan.lateMs,
    };
    const machine = new Machine(name, kernel, timekeeping, chance.fork());
    machine.onStep = () => {
      recorder.look(machine);
      if (this.#lost.size > 0) this.#forgive();
    };
    const links = this.hosts.map((host) => {
      const leastMs = chance.between(plan.nearestMs, plan.furthestMs);
      const distance = { ...plan.distance, leastMs };
      return new Link(machine, host, kernel, distance, plan.copies, chance.fork(), plan.profile !== 'reordering');
    });
    const process = new SimProcess(machine, links, plan.options, chance.fork());
    const member: Member = { process, skewMs: plan.skewMs * (chance.next() - 0.5), status: 'alive', busy: 0 };
    this.members.push(member);
    recorder.add({ kind: 'started', atMs: kernel.nowMs(), client: name });
    process.boot();
    this.#greet(process);
    return member;
  }

  kill(member: Member, isLost: boolean): void {
    member.status = 'gone';
    member.process.kill(isLost);
    this.recorder.add({ kind: 'killed', atMs: this.kernel.nowMs(), client: member.process.name });
    this.onGone(member);
  }

  async shutDown(member: Member): Promise<void> {
    member.status = 'stopping';
    await member.process.shutDown();
    const { name: client, emitted: counts } = member.process;
    const atMs = this.kernel.nowMs();
    this.recorder.add({ kind: 'emitted', atMs, client, counts: { ...counts } });
    this.recorder.add({ kind: 'stopped', atMs, client });
  }

  /** The wall clock of a process, in milliseconds since 1970. */
  wallMs({ skewMs }: Member): number {
    return EPOCH_MS + this.kernel.nowMs() + skewMs;
  }

  /** The server does not fully take part from now on. Returns what ends that. */
  outage(server: number, why: string): () => void {
    const add = (status: 'up' | 'away'): void => {
      const event = { kind: 'server', atMs: this.kernel.nowMs(), server, status, why } as const;
      this.recorder.add(event satisfies EventOf<'server'>);
    };
    const before = this.#outages[server] ?? 0;
    this.#outages[server] = before + 1;
    add('away');
    let over = false;
    return () => {
      if (over) return;
      over = true;
      const left = (this.#outages[server] ?? 0) - 1;
      this.#outages[server] = left;
      if (left > 0) return;
      add('up');
      this.#sweepLater([this.hosts[server]!]);
    };
  }

  /** Whether everybody who may ask this server has known it, as it is now: only then can they notice that it forgets. */
  isKnown(server: number): boolean {
    const shown = this.hosts[server]!.model.get(MARKER);
    return this.alive.every(({ process }) => shown !== undefined && process.servers[server]?.guard.marker === shown);
  }

  /** The server has lost its data, or these keys. */
  noteLoss(server: number, keys?: readonly string[]): void {
    this.recorder.add({ kind: 'lost', atMs: this.kernel.nowMs(), server, ...(keys && { keys }) });
    if (keys === undefined || keys.includes(MARKER)) this.distrust(server);
  }

  /** The server is away until everybody has noticed that it may have forgotten something, and trusts it again. */
  distrust(server: number): void {
    if (this.plan.options.restartGuard === 'off') return;
    this.#lost.get(server)?.end();
    const end = this.outage(server, 'it may have forgotten locks');
    this.#lost.set(server, { atMs: this.hosts[server]!.model.nowMs(), end });
  }

  get lostServers(): number {
    return this.#lost.size;
  }

  /**
   * Whether a process that starts now would hear of all that servers have lost lately: not before a process that has known the
   * server has noticed it.
   */
  get lossesAreTold(): boolean {
    return [...this.#lost].every(([server, { atMs }]) => {
      const [, time] = /@(\d+)$/.exec(String(this.hosts[server]!.model.get(MARKER))) ?? [];
      return Number(time) >= atMs;
    });
  }

  /** Whether somebody who starts now would take a server for one that may have forgotten something, by its uptime alone. */
  get suspicious(): boolean {
    if (this.plan.options.restartGuard !== 'strict') return false;
    // INFO tells whole seconds.
    return this.hosts.some(({ model }) => model.uptimeMs < this.#longestGuardMs + 1000);
  }

  /** Looks whether servers that had lost their data are trusted again. */
  #forgive(): void {
    for (const [server, loss] of this.#lost) {
      const { model, state } = this.hosts[server]!;
      const shown = model.get(MARKER);
      const trusted = this.alive.every(({ process }) => {
        const { guard, watch } = process.servers[server]!;
        const isTrusted = guard.leftMs([{ key: 'tick', ttlMs: this.#longestGuardMs, staysBehind: true }]) === 0;
        return guard.marker === shown && watch.info?.runId === model.runId && isTrusted;
      });
      if (shown === undefined || state !== 'up' || !trusted) {
        loss.trustedAtMs = undefined;
        continue;
      }
      // A process that sees a restart by the run id counts the loss anew when the marker is replaced. It asks for that when it
      // connects, so it is done one trip later. A marker that stays for good is a fault, which a checker is to see.
      loss.trustedAtMs ??= this.kernel.nowMs();
      const isOwed = this.alive.some(({ process }) => process.servers[server]!.guard.isMarkerOld);
      if (isOwed && this.kernel.nowMs() <= loss.trustedAtMs + this.#graceMs) continue;
      this.#lost.delete(server);
      loss.end();
    }
  }

  /** Somebody has given something back, or up: sometimes it is looked whether that is so. */
  #onCall(kind: string): void {
    if (['released', 'refused', 'aborted'].includes(kind) && this.chance.happens(0.1)) this.#sweepLater(this.hosts);
  }

  /** When there should be nothing any more of what is over now. */
  #sweepLater(hosts: readonly Host[]): void {
    this.kernel.after(1.02 * this.#graceMs + TOLERANCE_MS, () => {
      this.sweep(hosts);
    });
  }

  /** What an outsider finds on the servers that are up. */
  sweep(hosts = this.hosts): void {
    const atMs = this.kernel.nowMs();
    for (const { model, state } of hosts) {
      if (state === 'dead') continue;
      for (const [full, { value, expiresAtMs }] of model.entries()) {
        if (!full.startsWith(PREFIX)) continue;
        const ttlLeftMs = expiresAtMs === Infinity ? null : expiresAtMs - model.nowMs();
        const [token = ''] = String(value).split(' ');
        const key = full.slice(PREFIX.length);
        this.recorder.add({ kind: 'leftover', atMs, server: model.number, key, token, ttlLeftMs });
      }
      this.recorder.add({ kind: 'scanned', atMs, server: model.number });
    }
  }

  about(): About {
    const { plan } = this;
    return {
      servers: plan.servers,
      driftFactor: plan.options.driftFactor,
      toleranceMs: TOLERANCE_MS,
      graceMs: this.#graceMs,
      mostOvertakes: 20,
      mostIdleMs: Number(plan.options.maxRetryDelay) + 10 * this.#tripMs,
      courtesyMs: LONGEST_COURTESY_MS,
      outside: plan.outside,
    };
  }

  /**
   * All is well again: lets everybody who is left look at the servers that have lost their data, and then what is outstanding be
   * delivered. Returns whether all servers were trusted in the end.
   */
  async settle(): Promise<boolean> {
    const { kernel } = this;
    let trusted = true;
    for (let round = 0; this.#lost.size > 0; round++) {
      if (round === 5) {
        trusted = false;
        break;
      }
      for (const { process } of this.alive) this.#greet(process);
      await kernel.run(() => false, kernel.nowMs() + 2 * this.#graceMs);
      await kernel.run(() => false, kernel.nowMs() + 1.2 * this.#longestGuardMs);
      this.#forgive();
    }
    await kernel.run(() => false, kernel.nowMs() + 3 * this.#graceMs + 1500);
    this.sweep();
    this.recorder.add({ kind: 'end', atMs: kernel.nowMs() });
    return trusted;
  }

  /** Asks every server something harmless, so that the process has known it, and knows how long locks may last. */
  #greet({ quorum }: SimProcess): void {
    const claims = [{ key: `${PREFIX}greeting`, ttlMs: this.plan.ttlMs }];
    for (const queue of quorum.queues) queue.send({ kind: 'inspect', token: '-', owner: '-', claims });
  }

  /** As long as it may take to connect again, and to deliver what was outstanding. */
  get #graceMs(): number {
    const { options, copies } = this.plan;
    return 2 * Number(options.maxReconnectDelay) + 2 * options.nodeTimeout + 6 * this.#tripMs + copies.lateMs;
  }

  /** There and back, and what a timer may be late. */
  get #tripMs(): number {
    const { furthestMs, distance } = this.plan;
    return 2 * (furthestMs + distance.jitterMs + distance.spikeMs + 1);
  }

  /** For how long what a server has forgotten can matter. */
  get #longestGuardMs(): number {
    const { ttlMs, ticks, options } = this.plan;
    return Math.max(ttlMs, ticks > 0 ? Number(options.clockTolerance) + 250 + 2 * options.nodeTimeout : 0);
  }

  #takeSnapshots(): void {
    const take = (): void => {
      this.hosts.forEach(({ model, state }, index) => {
        if (state === 'up') this.snapshots[index] = new Map([...model.data].map(([key, entry]) => [key, { ...entry }]));
      });
      if (this.kernel.nowMs() < this.plan.lengthMs) this.kernel.after(this.plan.ttlMs / 2, take);
    };
    take();
  }

  /** Clocks differ by less than the drift factor, however it is shared out. */
  #rate(driftFactor: number): number {
    return this.chance.happens(0.3)
      ? 1
      : 1 + driftFactor * 0.45 * this.chance.pick([-1, 1, 2 * this.chance.next() - 1]);
  }
}
