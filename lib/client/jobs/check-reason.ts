import { isReason } from '../../core/register.js';
import { refuse } from '../options/check.js';

/**
 * Refuses a reason of a pause that a server would have to cut.
 *
 * @throws InvalidOptionsError
 */
export function checkReason(option: string, reason: unknown): void {
  if (typeof reason === 'string' && isReason(reason)) return;
  const takes = 'a text of at most 200 characters, or of 600 bytes once it is percent-encoded';
  throw refuse(option, takes, typeof reason === 'string' ? `${reason.length} characters` : reason);
}
