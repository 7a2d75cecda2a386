import type { Clock } from '../core/ports/clock.js';
import { majorityOf } from '../core/vote.js';
import type { ServerState, ServerStatus, ServerWarning } from './server-status.js';

/** A server of the group, as its watch tells it. */
export interface Member {
  readonly name: string;
  readonly status: ServerStatus;
}

/** A change of a server, and the words for it where the state alone does not say enough. */
export interface Change {
  readonly from: ServerState;
  readonly to: ServerState;
  /** How long it has not voted: 0 when it voted until now. */
  readonly notVotingMs: number;
  readonly reason?: string | undefined;
  readonly quarantineMs?: number | undefined;
  readonly tickQuarantineMs?: number | undefined;
  readonly text: string;
}

/** How many servers vote, how many there are, and how many are needed. */
export interface VoteCount {
  readonly voting: number;
  readonly servers: number;
  readonly needed: number;
}

/** Hears of what happens to the servers of a group: of each change once. */
export interface GroupObserver {
  onServer(server: string, change: Change, count: VoteCount): void;
  onQuorumLost(count: VoteCount): void;
  /** `tickQuarantineMs`: for how much longer too few servers vote on ticks; undefined where enough do. */
  onQuorumRegained(
    count: VoteCount & { readonly lostForMs: number; readonly tickQuarantineMs: number | undefined },
  ): void;
  onWarning(server: string, warning: ServerWarning): void;
}

/** The servers of one quorum group: which of them vote, and whether they are a majority. */
export class ServerGroup {
  /** With the instant from which on each votes on ticks, too. */
  readonly #members = new Map<Member, number>();
  /** When the quorum was lost, or undefined while there is one. */
  #lostAtMs: number | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly observer: GroupObserver,
  ) {}

  /** The member votes with this group, from now on. */
  join(member: Member): void {
    this.#members.set(member, 0);
  }

  onChange(member: Member, change: Change): void {
    this.#members.set(member, this.clock.nowMs() + (change.tickQuarantineMs ?? 0));
    this.observer.onServer(member.name, change, this.#count());
    this.#noteQuorum();
  }

  /** The caller sees to it that a warning is reported once. */
  onWarning({ name }: Member, warning: ServerWarning): void {
    this.observer.onWarning(name, warning);
  }

  #count(): VoteCount {
    const servers = this.#members.size;
    return { voting: this.#countOf('ready'), servers, needed: majorityOf(servers) };
  }

  #tickQuarantineMs(needed: number): number | undefined {
    const voting = [...this.#members].filter(([{ status }]) => status.state === 'ready');
    const fromMs = voting.map(([, atMs]) => atMs).sort((one, other) => one - other)[needed - 1] ?? 0;
    const leftMs = Math.ceil(fromMs - this.clock.nowMs());
    return leftMs > 0 ? leftMs : undefined;
  }

  #countOf(state: ServerState): number {
    let sum = 0;
    for (const { status } of this.#members.keys()) if (status.state === state) sum++;
    return sum;
  }

  /** A server whose first connection has no outcome yet may be about to vote: as long as that matters, no loss is reported. */
  #noteQuorum(): void {
    const count = this.#count();
    const has = count.voting >= count.needed;
    const lostAtMs = this.#lostAtMs;
    if (has && lostAtMs !== undefined) {
      this.#lostAtMs = undefined;
      const lostForMs = this.clock.nowMs() - lostAtMs;
      this.observer.onQuorumRegained({ ...count, lostForMs, tickQuarantineMs: this.#tickQuarantineMs(count.needed) });
    } else if (!has && lostAtMs === undefined && count.voting + this.#countOf('connecting') < count.needed) {
      this.#lostAtMs = this.clock.nowMs();
      this.observer.onQuorumLost(count);
    }
  }
}
