import type { InjectionToken, ModuleMetadata, OptionalFactoryDependency } from '@nestjs/common';
import { refuse, refuseUnknown } from '../client/options/check.js';
import type { DashboardRequest } from './request.js';

/** `true`: everything. `'read'`: the page without its buttons. Anything else: nothing. */
export type DashboardPermission = boolean | 'read';

/** @publicApi */
export interface RedlockDashboardOptions<Request = DashboardRequest> {
  /** Where the page is, below the global prefix. Default: `/redlock`. */
  path?: string;
  /**
   * What this request may do; asked with each request of the page. Where it throws, the request is refused, with the status of
   * an `HttpException` if it is one.
   *
   * Default: with `NODE_ENV=production` no request may do anything; otherwise requests of this machine may do everything.
   */
  authorize?: (request: Request) => DashboardPermission | Promise<DashboardPermission>;
}

/** @publicApi */
export interface RedlockDashboardAsyncOptions<Request = DashboardRequest> extends Pick<ModuleMetadata, 'imports'> {
  /** As in `forRoot`. It stands beside the factory, because routes are made before providers. */
  path?: string;
  useFactory: (
    ...dependencies: never[]
  ) => Omit<RedlockDashboardOptions<Request>, 'path'> | Promise<Omit<RedlockDashboardOptions<Request>, 'path'>>;
  inject?: (InjectionToken | OptionalFactoryDependency)[];
}

export interface DashboardSettings {
  readonly path: string;
  readonly authorize?: (request: never) => unknown;
}

/** Injection token of the settings. */
export const SETTINGS = Symbol.for('redlock-nestjs:dashboard-settings');

/** Each part of a path goes into a URL and into HTML as it is. */
const PATH = /^\/?[\w.~-]+(?:\/[\w.~-]+)*\/?$/;

/** Throws an InvalidOptionsError. */
export function toPath(path: unknown = '/redlock'): string {
  if (typeof path !== 'string' || !PATH.test(path)) {
    throw refuse('path', "a path such as '/redlock', of letters, digits and any of - . _ ~", path);
  }
  return `/${path.replaceAll(/^\/|\/$/g, '')}`;
}

/** Throws an InvalidOptionsError. */
export function toSettings(path: string, options: unknown): DashboardSettings {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw refuse('options', 'the options of RedlockDashboardModule', options);
  }
  refuseUnknown('RedlockDashboardModule', options, ['path', 'authorize']);
  const { authorize } = options as { authorize?: unknown };
  if (authorize === undefined) return { path };
  if (typeof authorize !== 'function') throw refuse('authorize', 'a function', authorize);
  return { path, authorize: authorize as (request: never) => unknown };
}
