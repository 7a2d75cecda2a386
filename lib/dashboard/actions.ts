import { Logger } from '@nestjs/common';
import { isRedlockError, type InvalidOptionsError } from '../core/errors/index.js';
import type { JobRun } from '../interfaces/jobs.interface.js';
import { json, refusal, type Answer } from './answer.js';
import type { JobsFace } from './jobs-face.js';
import { BUTTON_FAILED, FAILED, RUN_BY_HAND_FAILED, RUN_FAILED } from './messages.js';
import { errorStack, errorText } from '../core/error-text.js';

/** A run that takes longer goes on; the page sees its end as that of every other run. */
const WAIT_FOR_RUN_MS = 1500;

const LONGEST_REASON = 200;

const logger = new Logger('Redlock');

interface Command {
  readonly action: 'pause' | 'resume' | 'run';
  readonly job: string;
  /** The instance of the module, where it has a name. */
  readonly instance?: string;
  readonly for?: string;
  readonly reason?: string;
}

/** Does what a button says. `value` is the body of the request. */
export async function act(jobs: JobsFace, value: unknown): Promise<Answer> {
  const command = toCommand(value);
  if (typeof command === 'string') return refusal(400, command);
  const { action, job, instance } = command;
  const where = instance === undefined ? {} : { instance };
  try {
    if (action === 'run') return await run(jobs, job, where);
    if (action === 'resume') await jobs.resume(job, where);
    else {
      const { for: duration, reason } = command;
      const has = (text: string | undefined): text is string => text !== undefined && text !== '';
      await jobs.pause(job, { ...where, ...(has(duration) && { for: duration }), ...(has(reason) && { reason }) });
    }
    return json(200, { done: action });
  } catch (error) {
    return answerTo(error);
  }
}

/** The command, or what is wrong with it. */
function toCommand(value: unknown): Command | string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'The body must be an object.';
  const { action, job, instance, for: duration, reason, ...rest } = value as Record<string, unknown>;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined)
    return 'The body has a field that is not known. It takes action, job, instance, for and reason.';
  if (action !== 'pause' && action !== 'resume' && action !== 'run') return 'The action must be pause, resume or run.';
  if (typeof job !== 'string' || job === '') return 'The job must be the name of a job.';
  if (instance !== undefined && typeof instance !== 'string') return 'The instance must be the name of one.';
  if (duration !== undefined && typeof duration !== 'string') return "The duration must be a text such as '2h'.";
  if (reason !== undefined && (typeof reason !== 'string' || reason.length > LONGEST_REASON)) {
    return `The reason must be a text of at most ${LONGEST_REASON} characters.`;
  }
  if (action !== 'pause' && (duration ?? reason) !== undefined) return 'Only a pause has a duration and a reason.';
  return {
    ...{ action, job },
    ...(instance !== undefined && { instance }),
    ...(duration !== undefined && { for: duration }),
    ...(reason !== undefined && { reason }),
  };
}

async function run(jobs: JobsFace, job: string, where: { instance?: string }): Promise<Answer> {
  const own = { hasBegun: false };
  const running = jobs.runNow(job, { ...where, onBegun: () => (own.hasBegun = true) });
  let timer: NodeJS.Timeout | undefined;
  const waited = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, WAIT_FOR_RUN_MS, undefined);
  });
  try {
    const ended: JobRun | undefined = await Promise.race([running, waited]);
    if (ended !== undefined) return json(200, { done: 'run', outcome: ended.outcome });
  } catch (error) {
    if (!own.hasBegun) throw error;
    return refusal(500, RUN_FAILED(errorText(error)));
  } finally {
    clearTimeout(timer);
  }
  running.catch((error: unknown) => {
    logger.warn(RUN_BY_HAND_FAILED(job, errorText(error)));
  });
  return json(202, { done: 'run', outcome: 'running' });
}

/** Errors of this package have no passwords in them, and no servers but those that the page shows. Others may. */
function answerTo(error: unknown): Answer {
  if (isRedlockError(error)) {
    switch (error.code) {
      case 'LOCK_CONTENDED':
        return refusal(409, error.message);
      case 'QUORUM_UNREACHABLE':
      case 'SHUTDOWN':
        return refusal(503, error.message);
      case 'INVALID_OPTIONS':
        return refusal((error as Partial<InvalidOptionsError>).option === 'job' ? 404 : 400, error.message);
      default:
        return refusal(500, error.message);
    }
  }
  logger.error(BUTTON_FAILED(errorStack(error) ?? errorText(error)));
  return refusal(500, FAILED);
}
