import type { JobRun, JobStatus } from '../interfaces/index.js';
import type { Job } from './job.js';
import { overdueOf } from './overdue.js';
import type { JobRecord, RegisteredRun } from './register.js';

/** What is known of a job without its register. */
export function describeJob(job: Job, nowMs: number): JobStatus {
  const { method, trigger } = job;
  const { instance } = method.options;
  const timeZone = trigger.kind === 'cron' ? trigger.schedule.timeZone : undefined;
  const nextTick = job.nextAt(nowMs);
  return {
    job: job.name,
    ...(instance !== undefined && { instance }),
    method: method.label,
    schedule: scheduleOf(job),
    ...(typeof timeZone === 'string' && { timeZone }),
    ...(nextTick && { nextTick }),
  };
}

export function toStatus(job: Job, record: JobRecord, nowMs: number): JobStatus {
  const running = record.runs.find(({ outcome }) => outcome === 'running');
  const last = record.runs.find(({ outcome }) => outcome !== 'running');
  const overdue = overdueOf(job, record, nowMs);
  return {
    ...describeJob(job, nowMs),
    ...(running && { running: toRun(job.name, running) }),
    ...(last && { lastRun: toRun(job.name, last) }),
    ...(record.pausedLeftMs > 0 && { paused: pauseOf(record, nowMs) }),
    ...(overdue && { overdue: { tick: new Date(overdue.tickMs), byMs: overdue.byMs } }),
  };
}

export function toRun(job: string, run: RegisteredRun): JobRun {
  const { trigger, tickMs, owner, startedAtMs, endedAtMs, outcome, error, fencingToken } = run;
  return {
    job,
    trigger,
    ...(tickMs > 0 && { tick: new Date(tickMs) }),
    owner,
    startedAt: new Date(startedAtMs),
    ...(endedAtMs !== undefined && { endedAt: new Date(endedAtMs) }),
    outcome,
    ...(error !== undefined && { error }),
    fencingToken,
  };
}

function pauseOf({ pausedLeftMs, reason }: JobRecord, nowMs: number): NonNullable<JobStatus['paused']> {
  return {
    ...(pausedLeftMs < Infinity && { until: new Date(nowMs + pausedLeftMs) }),
    ...(reason !== '' && { reason }),
  };
}

function scheduleOf({ trigger, cron }: Job): string {
  switch (trigger.kind) {
    case 'cron': {
      const source = cron === undefined ? trigger.schedule.cronTime : cron.cronTime.source;
      return typeof source === 'string' ? source : 'once';
    }
    case 'interval':
      return `every ${trigger.everyMs} ms`;
    case 'timeout':
      return 'once';
    default:
      return trigger satisfies never;
  }
}
