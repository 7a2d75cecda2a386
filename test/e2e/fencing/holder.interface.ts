/** What the test asks of a process. */
export type Command =
  | { readonly kind: 'boot'; readonly servers: readonly string[] }
  | { readonly kind: 'take'; readonly grants: number }
  | { readonly kind: 'close' };

/** One grant, as its holder saw it. All times are of the clock that the processes of a machine share. */
export interface Grant {
  readonly fence: number;
  /** Before the first request for it left. */
  readonly askedAtMs: number;
  /** When the holder had it in hand. */
  readonly knownAtMs: number;
  /** Whether the lock was still valid then. A process that stands still in between learns of it too late. */
  readonly inTime: boolean;
  /** When the holder went on: to give it back, or to find that it was lost. */
  readonly overAtMs: number;
}
