import { majorityOf, type Vote } from './vote.js';

/**
 * Notices a vote that stays split for good, so that it is not asked for until the time is over.
 *
 * A contender that is alive gives its votes back after a few rounds, and takes others under another token. A server that shows
 * the same rival round after round carries what a dead process has left, or what is no lock of this package. Where the other
 * servers are too few for a majority, no process can get the lock before that expires.
 */
export class Stalemate {
  /** For each server that has denied: to which rival, and in how many rounds in a row. */
  readonly #rivals = new Map<number, { readonly token: string; rounds: number }>();

  /** @param patience in so many rounds in a row a rival that is alive may show the same token */
  constructor(
    private readonly servers: number,
    private readonly patience: number,
  ) {}

  /** Takes the votes of one more round. Whether the vote is split for good. */
  isReached(votes: readonly Vote[]): boolean {
    for (const vote of votes) {
      if (vote.outcome === 'unanswered') continue;
      const rival = this.#rivals.get(vote.position);
      if (vote.outcome !== 'denied') this.#rivals.delete(vote.position);
      else if (rival?.token === vote.holder.token) rival.rounds++;
      else this.#rivals.set(vote.position, { token: vote.holder.token, rounds: 1 });
    }
    const stuck = [...this.#rivals.values()].filter(({ rounds }) => rounds > this.patience);
    return this.servers - stuck.length < majorityOf(this.servers);
  }
}
