import { Redlock } from '@sesamecare-oss/redlock';
import { connect } from './clients.js';
import { RETRY_MS, type Contestant } from './contestant.js';
import { RedlockContestant } from './redlock.js';

export async function open(urls: readonly string[]): Promise<Contestant> {
  return new RedlockContestant(new Redlock(await connect(urls), { retryDelay: RETRY_MS, retryJitter: RETRY_MS }));
}
