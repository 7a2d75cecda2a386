import type { Fleet, FleetServer } from '../test/support/fleet.interface.js';
import type { Replicas } from './replicas.js';
import type { ReplicaProcess } from './replica-process.js';
import { countVotes } from './votes.js';

type Fault =
  'kill server' | 'restart server' | 'stall server' | 'resume server' | 'wrong clock' | 'right clock' | 'kill holder';

/** What is done at which tick. */
type Plan = Readonly<Record<number, Fault>>;

/** After so many ticks it begins anew, with other servers, other replicas and another clock. */
const CYCLE = 20;

/** What happens to servers, by the tick of the cycle: with two to spare a dead and a stalled one at a time, with one in turn. */
const TWO_SPARE: Plan = { 2: 'kill server', 4: 'stall server', 7: 'restart server', 9: 'resume server' };
const ONE_SPARE: Plan = { 2: 'kill server', 5: 'restart server', 7: 'stall server', 10: 'resume server' };

/** What happens to replicas. The one whose clock is ahead comes first to each tick: then it is also the one that dies. */
const REPLICAS: Plan = { 11: 'wrong clock', 14: 'kill holder', 17: 'right clock' };

/** How wrong a clock goes, one after the other. The library's `clockTolerance` is 60 s. */
const OFFSETS_MS = [1_500, -700, 2_500, -3_500];

/** Breaks things while the demo runs, by the same plan each time. */
export class Chaos {
  faults = 0;
  private killed: FleetServer | undefined;
  private stalled: FleetServer | undefined;
  private shifted: ReplicaProcess | undefined;
  private wantsHolder = false;
  private stopped = false;
  private readonly plan: Plan;
  private readonly majority: number;

  constructor(
    private readonly fleet: Fleet,
    private readonly replicas: Replicas,
    private readonly announce: (text: string) => void,
  ) {
    const servers = fleet.servers.length;
    this.majority = Math.floor(servers / 2) + 1;
    this.plan = { ...(servers - this.majority >= 2 ? TWO_SPARE : ONE_SPARE), ...REPLICAS };
    if (servers - this.majority === 0) {
      announce(`chaos leaves the servers alone: of ${servers} none can be missed`);
    }
    if (replicas.alive.length < 2) announce('chaos leaves the replica alone: it is the only one');
  }

  /** Carries out what is due at this tick, the first being 0. */
  async at(tick: number): Promise<void> {
    const fault = this.plan[tick % CYCLE];
    if (fault === undefined || this.stopped) return;
    try {
      await this.carryOut(fault, Math.floor(tick / CYCLE));
    } catch (error) {
      this.say(`no '${fault}': ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** A replica holds the lock and has begun its run. */
  onBegan(holder: ReplicaProcess): void {
    if (!this.wantsHolder || this.stopped || !this.replicas.alive.includes(holder) || this.replicas.alive.length < 2)
      return;
    this.wantsHolder = false;
    this.faults++;
    holder.kill();
    if (this.shifted === holder) this.shifted = undefined;
    const successor = this.replicas.add();
    this.say(`${holder.name} is killed in the middle of its run, ${successor.name} starts`);
    successor.ready.then(
      () => {
        this.say(`${successor.name} is up`);
      },
      (error: unknown) => {
        this.say(`${holder.name} is not replaced: ${String(error)}`);
      },
    );
  }

  stop(): void {
    this.stopped = true;
  }

  private async carryOut(fault: Fault, cycle: number): Promise<void> {
    switch (fault) {
      case 'kill server': {
        const server = await this.victim(2 * cycle);
        await server?.kill();
        this.done((this.killed = server), 'is killed');
        return;
      }
      case 'restart server':
        await this.killed?.restart();
        this.back(this.killed, 'is up again, with its data');
        this.killed = undefined;
        return;
      case 'stall server': {
        const server = await this.victim(2 * cycle + 1);
        await server?.pause();
        this.done((this.stalled = server), 'stalls: it takes connections and answers nothing');
        return;
      }
      case 'resume server':
        await this.stalled?.resume();
        this.back(this.stalled, 'goes on');
        this.stalled = undefined;
        return;
      case 'wrong clock':
        this.shift(cycle);
        return;
      case 'right clock':
        this.shifted?.shiftClock(0);
        this.back(this.shifted, 'has the right time again');
        this.shifted = undefined;
        return;
      case 'kill holder':
        this.wantsHolder = this.replicas.alive.length > 1;
        return;
      default:
        fault satisfies never;
    }
  }

  /** The server whose turn it is, if the others are a majority without it. */
  private async victim(turn: number): Promise<FleetServer | undefined> {
    const { servers, urls } = this.fleet;
    if (servers.length - this.majority === 0) return undefined;
    const voting = await countVotes(urls);
    if (voting - 1 >= this.majority) return servers[turn % servers.length];
    this.say(`chaos spares a server: only ${voting} vote`);
    return undefined;
  }

  private shift(cycle: number): void {
    const replicas = this.replicas.alive;
    if (replicas.length < 2) return;
    const offsetMs = OFFSETS_MS[cycle % OFFSETS_MS.length] ?? 0;
    this.shifted = replicas[cycle % replicas.length];
    this.shifted?.shiftClock(offsetMs);
    this.done(this.shifted, `has a clock that is ${Math.abs(offsetMs) / 1_000} s ${offsetMs > 0 ? 'ahead' : 'behind'}`);
  }

  private done(victim: { readonly name: string } | undefined, what: string): void {
    if (victim === undefined) return;
    this.faults++;
    this.say(`${victim.name} ${what}`);
  }

  private back(victim: { readonly name: string } | undefined, what: string): void {
    if (victim !== undefined) this.say(`${victim.name} ${what}`);
  }

  private say(text: string): void {
    if (!this.stopped) this.announce(text);
  }
}
