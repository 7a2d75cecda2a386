import type { Attributes } from '@opentelemetry/api';

/** The name of the meter and of the tracer. */
export const SCOPE = 'redlock-nestjs';

/** Where OpenTelemetry has a name for it, it has that one. */
const METHOD = 'code.function.name';
export const ERROR_TYPE = 'error.type';

const INSTANCE = 'redlock.instance';
const JOB = 'redlock.job';
export const KEYS = 'redlock.keys';
export const TICK = 'redlock.tick';
export const TRIGGER = 'redlock.trigger';
export const FENCING_TOKEN = 'redlock.fencing_token';
export const OUTCOME = 'redlock.outcome';
export const REASON = 'redlock.reason';
export const HAD_WORK = 'redlock.had_work';
export const CONTENDED = 'redlock.contended';
export const SKIPPED = 'redlock.skipped';
export const SHARD = 'redlock.shard';
export const SERVER = 'redlock.server';
export const SERVER_STATE = 'redlock.server.state';

/** What a metric may say of a call: nothing that has a new value for each call, so no key and no tick. */
export function attributesOf(about: {
  readonly instance?: string;
  readonly method?: string;
  readonly job?: string;
}): Attributes {
  const { instance, method, job } = about;
  return {
    ...(instance !== undefined && { [INSTANCE]: instance }),
    ...(method !== undefined && { [METHOD]: method }),
    ...(job !== undefined && { [JOB]: job }),
  };
}
