import type { Failure } from './ports/lock-node.js';

export function unreachable(cause: unknown): Failure {
  return { outcome: 'failed', reason: 'unreachable', cause: cause instanceof Error ? cause : new Error(String(cause)) };
}

export function untrusted(cause: Error): Failure {
  return { outcome: 'failed', reason: 'untrusted', cause };
}

export function refused(cause: Error): Failure {
  return { outcome: 'failed', reason: 'refused', cause };
}
