/** How a link, or all links of a server, misbehave: no byte passes, the connection is refused, or bytes arrive late. */
export type Trouble =
  { readonly how: 'stall' | 'cut' } | { readonly how: 'slow'; readonly delayMs: number; readonly jitterMs: number };

/** One action on a server, a replica or the link between them. Servers and replicas are numbered from 0. */
export type Action =
  | { readonly do: 'kill server' | 'stall server' | 'resume server'; readonly server: number }
  /** A server that has lost its data may get a new clock: its promises by the old clock are gone with the data. */
  | { readonly do: 'start server'; readonly server: number; readonly data: boolean; readonly clockMs?: number }
  | { readonly do: 'flush' | 'flush scripts'; readonly server: number }
  /** The clock of the server runs too fast by this, in millionths. */
  | { readonly do: 'clock rate'; readonly server: number; readonly ppm: number }
  | { readonly do: 'link'; readonly replica: number; readonly server: number; readonly trouble: Trouble }
  | { readonly do: 'mend link'; readonly replica: number; readonly server: number }
  | {
      readonly do: 'kill replica' | 'stop replica' | 'start replica' | 'pause replica' | 'resume replica';
      readonly replica: number;
    }
  | { readonly do: 'replica clock'; readonly replica: number; readonly offsetMs: number };

/** `atMs`: when, in milliseconds since the beginning. `fault`: the fault that begins with this action, if one does. */
export type PlannedAction = Action & { readonly atMs: number; readonly fault?: FaultName };

export const FAULTS = [
  'server killed',
  'server restarted',
  'server restarted without data',
  'rolling restart',
  'rolling restart without data',
  'server stalled',
  'server slow',
  'server flushed',
  'scripts flushed',
  'server clock fast or slow',
  'link cut',
  'link stalled',
  'link slow',
  'partition',
  'replica killed',
  'replica redeployed',
  'replica paused',
  'replica clock shifted',
] as const;

export type FaultName = (typeof FAULTS)[number];

/** The schedule of a run: its actions, and the clocks at the beginning. */
export interface Plan {
  readonly actions: readonly PlannedAction[];
  /** The offset of each server's clock at the beginning. */
  readonly clocksMs: readonly number[];
}
