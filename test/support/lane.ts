import type { Socket } from 'node:net';

/** What all connections of one relay share: how long the way is, and whether anything moves on it at all. */
export interface Traffic {
  /** The delay of one direction, half of the round trip. */
  oneWayMs: number;
  /** Up to this much more, drawn anew for each piece. */
  jitterMs: number;
  stalled: boolean;
}

interface Piece {
  /** `undefined` is the end of the stream: it travels like everything else and never overtakes a byte. */
  readonly bytes: Buffer | undefined;
  dueAtMs: number;
}

/**
 * One direction of one connection. What comes out is what went in, in that order, whatever happens to the delay in the
 * meantime: a piece is never due before the piece ahead of it.
 */
export class Lane {
  private readonly pieces: Piece[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly from: Socket,
    private readonly to: Socket,
    private readonly traffic: Traffic,
  ) {
    from.on('data', (bytes) => {
      this.enter(bytes);
    });
    from.on('end', () => {
      this.enter(undefined);
    });
  }

  /** The traffic has changed. A shorter way is shorter for what is already on it, too: 0 means normal again, now. */
  update(): void {
    const latestMs = performance.now() + this.traffic.oneWayMs + this.traffic.jitterMs;
    for (const piece of this.pieces) piece.dueAtMs = Math.min(piece.dueAtMs, latestMs);
    this.move();
  }

  /** Nothing moves any more, and no timer is left. */
  stop(): void {
    this.pieces.length = 0;
    clearTimeout(this.timer);
  }

  private enter(bytes: Buffer | undefined): void {
    const wayMs = this.traffic.oneWayMs + Math.random() * this.traffic.jitterMs;
    const earliestMs = this.pieces.at(-1)?.dueAtMs ?? 0;
    this.pieces.push({ bytes, dueAtMs: Math.max(earliestMs, performance.now() + wayMs) });
    if (this.pieces.length === 1) this.move();
  }

  private move(): void {
    clearTimeout(this.timer);
    const nowMs = performance.now();
    while (!this.traffic.stalled) {
      const next = this.pieces[0];
      if (next === undefined) return;
      if (next.dueAtMs > nowMs) {
        this.timer = setTimeout(() => {
          this.move();
        }, next.dueAtMs - nowMs);
        return;
      }
      this.pieces.shift();
      this.deliver(next.bytes);
    }
  }

  private deliver(bytes: Buffer | undefined): void {
    if (bytes === undefined) {
      this.to.end();
    } else if (!this.to.write(bytes)) {
      this.from.pause();
      this.to.once('drain', () => this.from.resume());
    }
  }
}
