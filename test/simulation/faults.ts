import { remove } from '../../lib/core/inspect.js';
import { lockKey } from '../../lib/client/keys.js';
import type { Chance } from './chance.js';
import type { Stored } from './model-server.js';
import type { Host, Link } from './network.js';
import type { Fault } from './plan.js';
import type { Member, World } from './world.js';

/** How long a fault lasts that would otherwise never end. */
type Heal = () => void;

/** Breaks things at random moments, some of them just after a client has begun something, and mends each after a while. */
export class Saboteur {
  #open = 0;
  #ambushes = 0;
  /** By itself, so that the draws of the faults stay what they were. */
  readonly #deployments: Chance;
  readonly #steerings: Chance;

  constructor(
    private readonly world: World,
    private readonly chance: Chance,
  ) {
    this.#deployments = chance.aside(9);
    this.#steerings = chance.aside(10);
  }

  /** Whether all that was planned has happened and is over. */
  get isDone(): boolean {
    return this.#open === 0;
  }

  plan(): void {
    const { plan, kernel, recorder } = this.world;
    for (let each = 0; each < plan.faults; each++) {
      if (this.chance.happens(0.35)) this.#ambushes++;
      else {
        this.#open++;
        kernel.at(plan.lengthMs * this.chance.next(), () => {
          this.#strike();
          this.#open--;
        });
      }
    }
    if (plan.storm !== undefined) {
      recorder.onCall.push((kind) => {
        if (kind === 'asked') this.#storm(plan.storm);
      });
    }
    if (plan.steered && plan.faults > 0) {
      recorder.onCall.push((kind, client) => {
        if (kind === 'steering') this.#ambushSteering(client);
      });
    }
    if (this.#ambushes > 0) {
      recorder.onCall.push((kind, client) => {
        this.#ambush(kind, client);
      });
    }
  }

  /** Somebody is about to rely on something: a good moment to take it away, or to put them to sleep. */
  #ambush(kind: string, client: string): void {
    if (this.#ambushes === 0 || !['asked', 'granted', 'releasing', 'extending'].includes(kind)) return;
    if (!this.chance.happens(0.25)) return;
    this.#ambushes--;
    this.#open++;
    const befalls = this.chance.weighted<'pause' | 'isolate' | 'kill' | 'any'>({
      pause: 3,
      isolate: this.world.plan.delays ? 3 : 0,
      kill: 1,
      any: 4,
    });
    this.world.kernel.after(this.chance.ratio(0.1, 3 * this.world.plan.furthestMs + 1), () => {
      const victim = this.world.alive.find(({ process }) => process.name === client);
      this.#strike(victim, befalls === 'any' ? undefined : befalls);
      this.#open--;
    });
  }

  /** A job is about to be paused or resumed: some of the servers do not hear of it. */
  #ambushSteering(client: string): void {
    const { plan, kernel } = this.world;
    if (!this.#steerings.happens(0.3)) return;
    const fault = this.#steerings.pick<Fault>(
      plan.delays ? ['partition', 'cut', 'stall', 'isolate', 'kill'] : ['kill'],
    );
    this.#open++;
    kernel.after(this.#steerings.ratio(0.1, 4 * plan.furthestMs + 1), () => {
      const victim = this.world.alive.find(({ process }) => process.name === client);
      this.#strike(victim, fault);
      this.#open--;
    });
  }

  #storm(fault: Fault | undefined): void {
    this.#open++;
    this.world.kernel.after(this.chance.ratio(0.1, 4 * this.world.plan.furthestMs + 1), () => {
      this.#strike(undefined, fault);
      this.#open--;
    });
  }

  #strike(victim?: Member, chosen?: Fault): void {
    const fault = chosen ?? this.chance.weighted<Fault>(this.world.plan.weights);
    const heal = this.#begin(fault, victim);
    if (heal === undefined) return;
    this.world.count(`fault ${fault}`);
    this.world.recorder.add({ kind: 'note', atMs: this.world.kernel.nowMs(), text: fault });
    if (heal === 'over') return;
    const { ttlMs, options } = this.world.plan;
    this.#open++;
    const isPause = fault === 'pause' || fault === 'suspend';
    const longestMs = isPause ? this.world.plan.longestPauseMs : 2 * ttlMs;
    this.world.kernel.after(this.chance.ratio(Math.min(options.nodeTimeout / 3, longestMs), longestMs), () => {
      heal();
      this.#open--;
    });
  }

  /** Returns what mends it, `over` for what mends itself, and nothing where it could not be done. */
  #begin(fault: Fault, victim: Member | undefined): Heal | 'over' | undefined {
    const { world, chance } = this;
    const host = chance.pick(world.hosts);
    const running = world.alive.filter(({ process }) => process.machine.state === 'running');
    const awake = victim && running.includes(victim) ? victim : undefined;
    const member = awake ?? (running.length > 0 ? chance.pick(running) : undefined);
    switch (fault) {
      case 'stall':
        return host.state === 'up' ? this.#stall(host) : undefined;
      case 'crash':
        return host.state === 'dead' ? undefined : this.#crash(host, (data) => data);
      case 'lose':
        return this.#mayLose(host) ? this.#crash(host, () => new Map()) : undefined;
      case 'snapshot':
        return this.#mayLose(host) ? this.#rollBack(host) : undefined;
      case 'flush':
        return this.#mayLose(host) ? this.#flush(host) : undefined;
      case 'evict':
        return this.#evict(host);
      case 'scriptFlush':
        return this.#flushScripts(host);
      case 'jump':
        host.model.clock.offsetMs += chance.pick([-1, 1]) * chance.ratio(1, 1e7);
        if (chance.happens(0.3)) host.model.clock.rate = chance.ratio(0.5, 2);
        return 'over';
      case 'slow':
        return this.#slow(host);
      case 'cut':
      case 'cutToServer':
      case 'cutToClient':
        return member && this.#cut([member.process.links[host.model.number]!], fault);
      case 'partition':
        return this.#cut(
          this.#links().filter(() => chance.happens(0.4)),
          'cut',
        );
      case 'isolate':
        return member && this.#cut(member.process.links, chance.pick(['cut', 'cut', 'cutToServer', 'cutToClient']));
      case 'breaks':
        return this.#breaks(this.#links().filter(() => chance.happens(0.4)));
      case 'giveUp':
        return member && this.#giveUp(member, host);
      case 'pause':
        return member && this.#pause(member);
      case 'suspend':
        return member && this.#pause(member, true);
      case 'stumble':
        return member && this.#stumble(member);
      case 'kill':
        return member && this.#kill(member);
      case 'start':
        return this.#start();
      case 'shutDown':
        return member && this.#shutDown(member);
      case 'force':
        return member && this.#force(member);
      case 'sweep':
        world.sweep();
        return 'over';
      default:
        return fault satisfies never;
    }
  }

  #stall(host: Host): Heal {
    const end = this.world.outage(host.model.number, 'stalled');
    host.stall();
    return () => {
      host.resume();
      end();
    };
  }

  #crash(host: Host, dataAfter: (data: Map<string, Stored>) => Map<string, Stored>): Heal {
    const { model } = host;
    const end = this.world.outage(model.number, 'killed');
    const before = model.data;
    host.crash();
    const data = dataAfter(before);
    if (data !== before) this.#noteLoss(model.number);
    else if (!model.appendOnly || this.world.plan.options.restartGuard === 'strict') this.world.distrust(model.number);
    return () => {
      model.restart(data);
      host.start();
      end();
    };
  }

  /** It comes back with what it had a while ago. */
  #rollBack(host: Host): Heal {
    const taken = this.world.snapshots[host.model.number]!;
    return this.#crash(host, () => new Map([...taken].map(([key, entry]) => [key, { ...entry }])));
  }

  #flush({ model }: Host): 'over' {
    model.data = new Map();
    this.#noteLoss(model.number);
    return 'over';
  }

  #evict({ model }: Host): 'over' {
    const keys = model.entries().flatMap(([key]) => (this.chance.happens(0.5) ? [key] : []));
    for (const key of keys) model.data.delete(key);
    this.world.noteLoss(model.number, keys);
    return 'over';
  }

  /** Sometimes another process starts while what the server has forgotten still matters. */
  #noteLoss(server: number): void {
    const { world } = this;
    world.noteLoss(server);
    if (world.plan.options.restartGuard === 'off' || !this.#deployments.happens(0.5)) return;
    this.#open++;
    world.kernel.after(this.#deployments.ratio(1, 2 * world.plan.ttlMs), () => {
      this.#start();
      this.#open--;
    });
  }

  #mayLose({ state, model }: Host): boolean {
    if (state === 'dead') return false;
    return this.world.plan.options.restartGuard === 'off' || this.world.isKnown(model.number);
  }

  #slow(host: Host): Heal {
    const { options } = this.world.plan;
    const end = this.world.outage(host.model.number, 'slow');
    const slowMs = this.chance.ratio(options.nodeTimeout / 4, 2 * options.nodeTimeout);
    host.slowMs = slowMs;
    return () => {
      host.slowMs = 0;
      // What was sent last is still on its way, and what is sent next does not overtake it.
      this.world.kernel.after(2 * slowMs, end);
    };
  }

  #links(): Link[] {
    return this.world.alive.flatMap(({ process }) => process.links);
  }

  #cut(links: readonly Link[], fault: 'cut' | 'cutToServer' | 'cutToClient'): Heal {
    const ends = links.map(({ server, machine }) =>
      this.world.outage(server.model.number, `cut off from ${machine.name}`),
    );
    const lanes = links.flatMap(({ toServer, toClient }) => [
      ...(fault === 'cutToClient' ? [] : [toServer]),
      ...(fault === 'cutToServer' ? [] : [toClient]),
    ]);
    for (const lane of lanes) lane.cut();
    return () => {
      for (const lane of lanes) lane.mend(this.world.plan.profile === 'reordering');
      for (const end of ends) end();
    };
  }

  /** Each connection notices with its next call, and what overlaps that fails; until somebody else has loaded the script. */
  #flushScripts({ model }: Host): Heal {
    const end = this.world.outage(model.number, 'forgot its scripts');
    model.flushScripts();
    return () => {
      model.loadScript();
      end();
    };
  }

  #breaks(links: readonly Link[]): Heal {
    const ends = links.map(({ server, machine }) =>
      this.world.outage(server.model.number, `breaks with ${machine.name}`),
    );
    for (const link of links) link.breaks = this.chance.ratio(0.03, 0.4);
    return () => {
      for (const link of links) link.breaks = 0;
      for (const end of ends) end();
    };
  }

  /** The client's connections to one server end from its side, and what it has sent arrives after all, or not. */
  #giveUp({ process }: Member, { model }: Host): Heal {
    const end = this.world.outage(model.number, `given up by ${process.name}`);
    const isLost = this.chance.happens(0.5);
    for (const connection of process.connections) {
      if (connection.name === `server-${model.number}`) connection.giveUp(new Error('read ETIMEDOUT'), isLost);
    }
    return end;
  }

  #pause({ process }: Member, suspended = false): Heal {
    const { recorder, kernel } = this.world;
    if (suspended) process.machine.suspend();
    else process.machine.pause();
    recorder.add({ kind: 'paused', atMs: kernel.nowMs(), client: process.name, ...(suspended && { suspended }) });
    return () => {
      if (process.machine.state !== 'paused') return;
      recorder.add({ kind: 'resumed', atMs: kernel.nowMs(), client: process.name });
      process.machine.resume();
    };
  }

  /** A short pause, as of a garbage collector. */
  #stumble(member: Member): 'over' {
    const resume = this.#pause(member);
    this.#open++;
    this.world.kernel.after(this.chance.ratio(0.5, this.world.plan.options.nodeTimeout), () => {
      resume();
      this.#open--;
    });
    return 'over';
  }

  #kill(member: Member): 'over' | undefined {
    if (this.world.alive.length === 1) return undefined;
    this.world.kill(member, this.chance.happens(0.5));
    return 'over';
  }

  /** Also while servers have lost their data, but not before a witness has noticed it. */
  #start(): 'over' | undefined {
    const { lossesAreTold, lostServers, suspicious, members } = this.world;
    if (!lossesAreTold || suspicious || members.length >= 6) return undefined;
    if (lostServers > 0) this.world.count('started after a loss');
    this.world.onStart(this.world.start());
    return 'over';
  }

  #shutDown(member: Member): 'over' | undefined {
    if (this.world.alive.length === 1) return undefined;
    void this.world.shutDown(member);
    return 'over';
  }

  /** As the service's `forceRelease` does it. */
  #force({ process }: Member): 'over' {
    const { recorder, plan } = this.world;
    const key = this.chance.pick(plan.keys);
    const settle = recorder.forcing(process.name, key);
    if (this.chance.happens(0.3)) {
      // By a process that may have it itself.
      process.locks.remove(key).then(
        () => settle(false),
        () => settle(false),
      );
    } else {
      void remove(process.quorum, lockKey('redlock:', key)).then(({ votes }) => {
        settle(votes.every(({ outcome }) => outcome === 'released' || outcome === 'absent'));
      });
    }
    return 'over';
  }
}
