/** How a link, or all links of a server, misbehave: nothing passes and nobody is told, refused, or late. */
export type Trouble =
  { readonly how: 'stall' | 'cut' } | { readonly how: 'slow'; readonly delayMs: number; readonly jitterMs: number };

/** One thing that is done to the servers, the replicas or the way between them. They are numbered from 0. */
export type Action =
  | { readonly do: 'kill server' | 'stall server' | 'resume server'; readonly server: number }
  /** With a clock that is set anew where it has lost its data: what it had promised by the old one is gone anyway. */
  | { readonly do: 'start server'; readonly server: number; readonly data: boolean; readonly clockMs?: number }
  | { readonly do: 'flush' | 'flush scripts'; readonly server: number }
  /** Its clock runs so much too fast, in millionths. */
  | { readonly do: 'clock rate'; readonly server: number; readonly ppm: number }
  | { readonly do: 'link'; readonly replica: number; readonly server: number; readonly trouble: Trouble }
  | { readonly do: 'mend link'; readonly replica: number; readonly server: number }
  | {
      readonly do: 'kill replica' | 'stop replica' | 'start replica' | 'pause replica' | 'resume replica';
      readonly replica: number;
    }
  | { readonly do: 'replica clock'; readonly replica: number; readonly offsetMs: number };

/** When it is done, in milliseconds since the beginning, and as the beginning of which fault, if it is one. */
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

/** What is to be done, and what it goes by. */
export interface Plan {
  readonly actions: readonly PlannedAction[];
  /** How wrong each server's clock is at the beginning. */
  readonly clocksMs: readonly number[];
}
