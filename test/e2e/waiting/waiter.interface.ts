export type WaiterQuestion =
  | { readonly kind: 'boot'; readonly urls: string[] }
  | {
      readonly kind: 'work';
      readonly urls: string[];
      readonly waiters: number;
      readonly rounds: number;
      readonly holdMs: number;
    };

/** One waiter's time with the lock. */
export interface Spell {
  readonly pid: number;
  readonly askedAtMs: number;
  readonly grantedAtMs: number;
  /** When the release was asked for. */
  readonly releasedAtMs: number;
}
