import { Injectable } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import type { RedlockHealth, ServerHealth } from '../interfaces/index.js';
import { DEFAULT_NAME, getRedlockToken } from '../redlock.constants.js';
import { RedlockJobs } from '../redlock.jobs.js';
import { NO_MODULE } from '../redlock.messages.js';
import type { RedlockService } from '../redlock.service.js';

/**
 * Whether locks can be granted now, for `@nestjs/terminus`. Put it into the providers of a module that imports `TerminusModule`.
 *
 * It is for readiness. Liveness must not use it: a restart of the application brings no Redis server back.
 *
 * @publicApi
 */
@Injectable()
export class RedlockHealthIndicator {
  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly modules: ModuleRef,
  ) {}

  /**
   * `up` while a majority of the servers votes, in each shard; `down` otherwise. Both have `voting`, `needed` and each server's state,
   * reason and warnings: host names, but no passwords. Where the application has jobs, `overdue` has the names of those whose schedule
   * is behind. Settles within one `nodeTimeout`.
   *
   * @param options `instance`: the name of the `RedlockModule`, where there are several. `overdueIsDown`: whether it is `down` also while a
   * job is overdue; that no replica can be reached then does not run the job. Default: false
   */
  async isHealthy<const Key extends string>(
    key: Key,
    { instance, overdueIsDown = false }: { readonly instance?: string; readonly overdueIsDown?: boolean } = {},
  ): Promise<HealthIndicatorResult<Key>> {
    const [health, overdue] = await Promise.all([this.#serviceOf(instance).health(), this.#overdueOf(instance)]);
    const indicator = this.indicators.check(key);
    const details = { ...detailsOf(health), ...(overdue && { overdue }) };
    const isUp = health.quorum && !(overdueIsDown && overdue !== undefined && overdue.length > 0);
    return isUp ? indicator.up(details) : indicator.down(details);
  }

  /** The names of the jobs that are overdue; undefined where there are no jobs. */
  async #overdueOf(instance = DEFAULT_NAME): Promise<string[] | undefined> {
    const jobs = await this.modules.get(RedlockJobs, { strict: false }).list({ instance });
    return jobs.length === 0 ? undefined : jobs.filter(({ overdue }) => overdue !== undefined).map(({ job }) => job);
  }

  #serviceOf(instance: string | undefined): RedlockService {
    try {
      return this.modules.get<RedlockService>(getRedlockToken(instance), { strict: false });
    } catch {
      throw new Error(`RedlockHealthIndicator: ${NO_MODULE(instance)}`);
    }
  }
}

function detailsOf({ voting, needed, servers, shards }: RedlockHealth): Record<string, unknown> {
  return { voting, needed, servers: servers.map(serverOf), ...(shards && { shards }) };
}

function serverOf({ server, shard, state, reason, warnings }: ServerHealth): Record<string, unknown> {
  return {
    server,
    ...(shard !== undefined && { shard }),
    state,
    ...(reason !== undefined && { reason }),
    warnings: warnings.map(({ code, message }) => ({ code, message })),
  };
}
