import { listJobs, type ListedJob } from '../../client/jobs/job-list.js';
import type { RegisteredRun } from '../../client/jobs/job-record.js';
import type { JobPlace } from '../../client/jobs/job-register.js';
import { printable } from '../../core/printable.js';
import { UsageError } from '../arguments.js';
import type { Context } from '../command.js';
import { gapsIn } from '../gaps.js';

/**
 * The job with this name. One that has not run for 30 days has no register, by which it is found: then `--key` names each key that it locks.
 *
 * @throws UsageError two jobs with different locks have the name, or none was found and no key is given
 * @throws Error too few servers have answered to say that there is no such job
 */
export async function findJob({ args, client }: Context): Promise<ListedJob['found'] | JobPlace> {
  const [shard] = client.shards.list;
  if (shard === undefined) throw new Error('A client has at least one shard.');
  const { prefix: keyPrefix, limit, timeoutMs, key, lockKeys } = args;
  if (lockKeys !== undefined) return placeOf(key, [...new Set(lockKeys)].toSorted());
  const { jobs, servers, isComplete } = await listJobs(shard, { keyPrefix, limit, timeoutMs });
  const named = jobs.filter(({ name }) => name === key);
  if (named.length > 1) {
    const locks = named.map(({ found }) => `"${printable(found.lock)}"`).join(' and ');
    throw new UsageError(`two jobs have this name, with the locks ${locks}`);
  }
  const found = named[0]?.found;
  if (found !== undefined) return found;
  const gaps = gapsIn(servers);
  if (!isComplete && gaps.length > 0) throw new Error(`the job was not found. ${gaps.join('. ')}`);
  const why = isComplete
    ? `no run of this job is known with the prefix "${printable(keyPrefix)}" (--prefix)`
    : 'not all jobs were read (--limit), and none of those has this name';
  throw new UsageError(`${why}; one that has not run yet is found by the keys that it locks (--key, once for each)`);
}

/** A job without a name of its own is called by its keys. */
function placeOf(job: string, keys: readonly string[]): JobPlace {
  return keys.join(', ') === job ? { keys } : { name: job, keys };
}

/** How a run ended. Where the lock of the job is not known, one without an end may have died, or go on. */
export function outcomeIn(job: ListedJob['found'] | JobPlace, { outcome }: RegisteredRun): string {
  const isLockCertain = !('register' in job) || job.isLockCertain;
  return outcome === 'died' && !isLockCertain ? 'not ended' : outcome;
}
