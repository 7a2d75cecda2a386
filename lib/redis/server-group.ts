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
  onQuorumRegained(count: VoteCount & { readonly lostForMs: number }): void;
  onWarning(server: string, warning: ServerWarning): void;
}

/** The servers of one quorum group: which of them vote, and whether they are a majority. */
export class ServerGroup {
  readonly #members = new Set<Member>();
  /** When the quorum was lost, or undefined while there is one. */
  #lostAtMs: number | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly observer: GroupObserver,
  ) {}

  /** The member votes with this group, from now on. */
  join(member: Member): void {
    this.#members.add(member);
  }

  onChange({ name }: Member, change: Change): void {
    this.observer.onServer(name, change, this.#count());
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

  #countOf(state: ServerState): number {
    let sum = 0;
    for (const { status } of this.#members) if (status.state === state) sum++;
    return sum;
  }

  /** A server whose first connection has no outcome yet may be about to vote: as long as that matters, no loss is reported. */
  #noteQuorum(): void {
    const count = this.#count();
    const has = count.voting >= count.needed;
    const lostAtMs = this.#lostAtMs;
    if (has && lostAtMs !== undefined) {
      this.#lostAtMs = undefined;
      this.observer.onQuorumRegained({ ...count, lostForMs: this.clock.nowMs() - lostAtMs });
    } else if (!has && lostAtMs === undefined && count.voting + this.#countOf('connecting') < count.needed) {
      this.#lostAtMs = this.clock.nowMs();
      this.observer.onQuorumLost(count);
    }
  }
}
