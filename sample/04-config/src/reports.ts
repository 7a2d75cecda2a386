import { Injectable } from '@nestjs/common';
import { currentLock, WithLock } from 'redlock-nestjs';

@Injectable()
export class Reports {
  // No ttl here, so it is that of the module: LOCK_TTL.
  @WithLock('report')
  async write(): Promise<string> {
    return `written, with a lock for ${Math.round((currentLock()?.remaining ?? 0) / 1000)} s`;
  }
}
