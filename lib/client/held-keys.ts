import { QuorumUnreachableError } from '../core/errors/index.js';
import { inspect, remove } from '../core/inspect.js';
import { count, majorityOf } from '../core/vote.js';
import type { LockInspection } from '../interfaces/index.js';
import { toInspection } from './inspection.js';
import { lockKey } from './keys.js';
import type { LockRegistry } from './lock-registry.js';
import { toKey } from './options/check.js';
import type { Shards } from './shards.js';

/** What an operator may ask about one key, whichever process holds it. */
export class HeldKeys {
  constructor(
    private readonly prefix: string,
    private readonly shards: Shards,
    private readonly registry: LockRegistry,
  ) {}

  async inspect(key: string): Promise<LockInspection> {
    const only = toKey(key);
    return toInspection(only, await inspect(this.shards.quorumOf([only]), lockKey(this.prefix, only)));
  }

  /**
   * Deletes the lock that the servers have on the key, and gives it up if it is held here. Returns whether there was one.
   *
   * @param tokens only a lock with one of these, as {@link inspect} has shown them: never the lock of a later holder
   */
  async remove(key: string, tokens?: ReadonlySet<string>): Promise<boolean> {
    const only = toKey(key);
    const quorum = this.shards.quorumOf([only]);
    const removal = await remove(quorum, lockKey(this.prefix, only), tokens);
    const { votes } = removal;
    for (const token of removal.tokens) void this.registry.get(token)?.lose('taken', votes);
    if (votes.length - count(votes, 'failed') < majorityOf(votes.length)) {
      throw new QuorumUnreachableError('release', [only], votes.length, votes);
    }
    return count(votes, 'released') > 0;
  }
}
