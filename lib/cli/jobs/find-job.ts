import { listJobs } from '../../client/jobs/job-list.js';
import type { FoundJob, JobPlace } from '../../client/jobs/job-register.js';
import { printable } from '../../core/printable.js';
import { UsageError } from '../arguments.js';
import type { Context } from '../command.js';

/**
 * The job with this name. One that has never run has no register yet: then the name is taken for the key of its lock, as it is where a
 * `@WithLock` gives no other name.
 *
 * @throws UsageError two jobs with different locks have the name
 */
export async function findJob({ args, client }: Context): Promise<FoundJob | JobPlace> {
  const [shard] = client.shards.list;
  if (shard === undefined) throw new Error('A client has at least one shard.');
  const { prefix: keyPrefix, limit, timeoutMs, key } = args;
  const { jobs } = await listJobs(shard, { keyPrefix, limit, timeoutMs });
  const named = jobs.filter(({ name }) => name === key);
  if (named.length > 1) {
    const locks = named.map(({ found }) => `"${printable(found.lock)}"`).join(' and ');
    throw new UsageError(`two jobs have this name, with the locks ${locks}`);
  }
  return named[0]?.found ?? { keys: key };
}
