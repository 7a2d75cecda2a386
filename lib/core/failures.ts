import type { Failure } from './ports/lock-node.js';
import { toError } from './error-text.js';

export function unreachable(cause: unknown): Failure {
  return { outcome: 'failed', reason: 'unreachable', cause: toError(cause) };
}

export function untrusted(cause: Error): Failure {
  return { outcome: 'failed', reason: 'untrusted', cause };
}

export function refused(cause: Error): Failure {
  return { outcome: 'failed', reason: 'refused', cause };
}

export const TOO_FEW_REPLIES = refused(new Error('The server sent fewer replies than requests.'));

export const TOO_LATE: Failure = {
  ...{ outcome: 'failed', reason: 'timeout' },
  cause: new Error('not sent, because its time was over before it could leave'),
};
