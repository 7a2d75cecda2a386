import { HttpException, Logger } from '@nestjs/common';
import { AUTHORIZE_FAILED, CLOSED, LOCAL_ONLY, NO_PERMISSION } from './messages.js';
import type { DashboardSettings } from './options.js';
import { headerOf, messageOf, type FrameworkRequest } from './request.js';
import { errorStack, errorText } from '../core/error-text.js';

/** What a request may do, or why it may do nothing. */
export type Access =
  { readonly may: 'everything' | 'read' } | { readonly may: 'nothing'; readonly status: number; readonly why: string };

const logger = new Logger('Redlock');

export async function accessOf(request: FrameworkRequest, { authorize }: DashboardSettings): Promise<Access> {
  if (authorize === undefined) return accessWithoutRule(request);
  try {
    const answer = await authorize(request as never);
    // No other value opens it: a function that gives the user instead of true must not let every user in.
    if (answer === true) return { may: 'everything' };
    if (answer === 'read') return { may: 'read' };
    return { may: 'nothing', status: 403, why: NO_PERMISSION };
  } catch (error) {
    // Told by its shape: an application may have another copy of Nest than this package.
    const { getStatus, message } = (error ?? {}) as Partial<HttpException>;
    const status = typeof getStatus === 'function' ? getStatus.call(error) : undefined;
    if (status !== undefined && status >= 400) return { may: 'nothing', status, why: message ?? NO_PERMISSION };
    logger.error(AUTHORIZE_FAILED(errorStack(error) ?? errorText(error)));
    return { may: 'nothing', status: 500, why: NO_PERMISSION };
  }
}

function accessWithoutRule(request: FrameworkRequest): Access {
  if (isProduction()) return { may: 'nothing', status: 403, why: CLOSED };
  return isLocal(request) ? { may: 'everything' } : { may: 'nothing', status: 403, why: LOCAL_ONLY };
}

export function isProduction(): boolean {
  return process.env.NODE_ENV === 'production';
}

const LOOPBACK = /^(?:::ffff:)?127\.\d+\.\d+\.\d+$|^::1$/;

const LOCAL_HOST = /^(?:(?:[\w-]+\.)*localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?$/i;

/** A proxy or a tunnel on this machine connects from it, too, and says for which client it does. */
const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via'];

/**
 * Whether it comes from this machine, under a name of this machine: a foreign page whose name resolves to 127.0.0.1 (DNS rebinding)
 * sends its own name as `Host`.
 */
function isLocal(request: FrameworkRequest): boolean {
  const { remoteAddress = '' } = messageOf(request).socket;
  if (!LOOPBACK.test(remoteAddress)) return false;
  if (FORWARDED.some((name) => headerOf(request, name) !== undefined)) return false;
  const origin = headerOf(request, 'origin');
  if (origin !== undefined && !LOCAL_HOST.test(origin.replace(/^https?:\/\//, ''))) return false;
  return LOCAL_HOST.test(headerOf(request, 'host') ?? headerOf(request, ':authority') ?? '');
}
