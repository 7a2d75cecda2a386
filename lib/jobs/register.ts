import type { JobRegister } from '../client/jobs/job-register.js';
import { clientOf } from '../decorators/delays.js';
import type { RedlockService } from '../redlock.service.js';

export type { JobRecord, RegisteredRun } from '../client/jobs/job-record.js';
export type { JobPlace, JobRegister } from '../client/jobs/job-register.js';

/** Undefined where something else stands in the place of the service, in the tests of an application. */
export function registerOf(service: RedlockService): JobRegister | undefined {
  return clientOf(service)?.jobs;
}
