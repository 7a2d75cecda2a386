export type WaiterQuestion =
  | { readonly kind: 'boot'; readonly urls: string[] }
  /** So many want the same lock, again and again. */
  | { readonly kind: 'work'; readonly urls: string[]; readonly waiters: number; readonly rounds: number }
  /** Takes a lock that nobody else wants, again and again. */
  | { readonly kind: 'alone'; readonly urls: string[]; readonly rounds: number };

/** One waiter's time with the lock. */
export interface Spell {
  readonly askedAtMs: number;
  readonly grantedAtMs: number;
  /** When the release was asked for. */
  readonly releasedAtMs: number;
}
