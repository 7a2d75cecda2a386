import { Injectable } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import type { RedlockHealth, ServerHealth } from '../interfaces/index.js';
import { getRedlockToken } from '../redlock.constants.js';
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
   * reason and warnings: host names, but no passwords. Settles within one `nodeTimeout`.
   *
   * @param options `instance`: the name of the `RedlockModule`, where there are several
   */
  async isHealthy<const Key extends string>(
    key: Key,
    options: { readonly instance?: string } = {},
  ): Promise<HealthIndicatorResult<Key>> {
    const health = await this.#serviceOf(options.instance).health();
    const indicator = this.indicators.check(key);
    return health.quorum ? indicator.up(detailsOf(health)) : indicator.down(detailsOf(health));
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
