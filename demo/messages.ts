/** A command of the coordinator to a replica. */
export type Command =
  { readonly kind: 'stop' } | { readonly kind: 'shift'; /** From the right time on. */ readonly offsetMs: number };

/** A message of a replica to the coordinator. */
export type Message =
  | { readonly kind: 'ready' }
  | { readonly kind: 'error'; readonly error: string }
  | ({ readonly kind: 'tick' } & TickMessage);

/**
 * A message about one tick: `skipped`; or `began`, and then `ended`; or `failed`, which may come after
 * `began`, too.
 */
export type TickMessage = { readonly tickMs: number } & (
  { readonly what: 'began' | 'ended' | 'skipped' } | { readonly what: 'failed'; readonly error: string }
);
