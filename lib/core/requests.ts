import type { JobNote } from './ports/job-note.js';
import type { Claim, NodeRequest } from './ports/lock-node.js';

/** Of every lock there is one of each: see young-list.ts for why they are classes. */
export class AcquireRequest implements NodeRequest {
  readonly kind = 'acquire';

  constructor(
    readonly token: string,
    readonly owner: string,
    readonly claims: readonly Claim[],
    readonly fenceStart: number,
    readonly waits: boolean,
    readonly waited: boolean,
    readonly job: JobNote | undefined,
  ) {}
}

export class ReleaseRequest implements NodeRequest {
  readonly kind = 'release';

  constructor(
    readonly token: string,
    readonly owner: string,
    readonly claims: readonly GivenBack[],
    readonly keepUntilMs: number | undefined,
    readonly fence: number,
    readonly job: JobNote | undefined,
  ) {}
}

/** A claim that is released. */
export class GivenBack implements Claim {
  readonly ttlMs = 0;

  constructor(
    readonly key: string,
    readonly channel: string | undefined,
  ) {}
}
