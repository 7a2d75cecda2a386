import type { Clock } from '../core/ports/clock.js';
import { majorityOf } from '../core/vote.js';
import { LineLimit } from './line-limit.js';
import type { ServerState, ServerStatus, ServerWarning } from './server-status.js';

/** A server of the group, as its watch tells it. */
export interface Member {
  readonly name: string;
  readonly status: ServerStatus;
}

export type WriteLine = (line: string, level: 'log' | 'warn' | 'error') => void;

/** A change of a server, and the words for it where the state alone does not say enough. */
export interface Change {
  readonly from: ServerState;
  readonly to: ServerState;
  readonly text: string;
}

/**
 * The servers of one quorum group, and the story of them that the log tells: once per change a server lost, back, quarantined
 * and out of quarantine, and the quorum lost and back. Nothing else writes about servers.
 */
export class ServerGroup {
  readonly #members = new Map<Member, LineLimit>();
  readonly #quorumLimit: LineLimit;
  #hasQuorum = true;

  constructor(
    private readonly clock: Clock,
    private readonly write: WriteLine,
  ) {
    this.#quorumLimit = new LineLimit(clock, () => {
      this.#writeQuorum();
    });
  }

  get voting(): number {
    return [...this.#members.keys()].filter(({ status }) => status.state === 'ready').length;
  }

  get needed(): number {
    return majorityOf(this.#members.size);
  }

  /** With whom it votes, from now on. */
  join(member: Member): void {
    const limit = new LineLimit(this.clock, () => {
      const { state, reason } = member.status;
      this.#write(member, `is ${state} now${reason === undefined ? '' : `: ${reason}`}`, 'log');
    });
    this.#members.set(member, limit);
  }

  onChange(member: Member, { from, to, text }: Change): void {
    if (to === 'ready') {
      const again = from === 'down' || from === 'silent' ? 'is connected again, and votes' : text;
      if (from !== 'connecting') this.#write(member, again, 'log');
    } else if (to === 'quarantined') {
      this.#write(member, `${text}; ${this.voting} of ${this.#members.size} servers vote meanwhile`, 'warn');
    } else this.#write(member, text, 'warn');
    this.#noteQuorum();
  }

  /** The caller sees to it that this is said once. */
  onWarning(member: Member, { code, message }: ServerWarning): void {
    this.#write(member, message, code === 'no-append-only-file' ? 'log' : 'warn');
  }

  /** A server of which nothing is known yet may be about to vote: as long as it matters, nothing is said of the quorum. */
  #noteQuorum(): void {
    if (this.#members.size < 2) return;
    const members = [...this.#members.keys()];
    const unknown = members.filter(({ status }) => status.state === 'connecting').length;
    const has = this.voting >= this.needed;
    if (has === this.#hasQuorum || (!has && this.voting + unknown >= this.needed)) return;
    this.#hasQuorum = has;
    this.#writeQuorum();
  }

  #writeQuorum(): void {
    const more = this.#quorumLimit.next();
    if (more === undefined) return;
    const { voting, needed } = this;
    const count = `${voting} of ${this.#members.size} servers vote, and ${needed} are needed`;
    if (this.#hasQuorum) this.write(`The quorum is back: ${count}${more}.`, 'log');
    else this.write(`The quorum is lost: ${count}. No lock can be granted until that many vote${more}.`, 'error');
  }

  #write(member: Member, text: string, level: 'log' | 'warn'): void {
    const more = this.#members.get(member)?.next();
    if (more !== undefined) this.write(`Server ${member.name} ${text}${more}.`, level);
  }
}
