import type { Chance } from './chance.js';
import type { Kernel } from './kernel.js';
import type { Machine } from './machine.js';
import { ReplyError, type ModelServer, type Subscriber } from './model-server.js';

/** One direction between a process and a server. What is on a lane that is cut arrives when it is whole again. */
class Lane {
  #cut = false;
  #held: { readonly session: Session; readonly deliver: () => void }[] = [];

  constructor(private readonly kernel: Kernel) {}

  arrive(session: Session, deliver: () => void): void {
    if (this.#cut) this.#held.push({ session, deliver });
    else deliver();
  }

  cut(): void {
    this.#cut = true;
  }

  /** The network keeps the order within each connection, but who says that it keeps that of the connections? */
  mend(reorders: boolean): void {
    this.#cut = false;
    const held = this.#held;
    this.#held = [];
    const sessions = [...new Set(held.map(({ session }) => session))];
    if (reorders) held.sort((one, other) => sessions.indexOf(other.session) - sessions.indexOf(one.session));
    for (const { session, deliver } of held) this.kernel.after(0, () => this.arrive(session, deliver));
  }
}

/** How long messages take between one process and one server, one way, in milliseconds. */
export interface Distance {
  readonly leastMs: number;
  readonly jitterMs: number;
  /** Now and then one takes so much longer, as when a packet is lost. */
  readonly spikeMs: number;
  readonly spikes: number;
}

/** Commands that arrive a second time, after so much more time at the most; the reply to a copy is lost. */
export interface Copies {
  readonly share: number;
  readonly lateMs: number;
}

/** The way between one process and one server. */
export class Link {
  readonly toServer: Lane;
  readonly toClient: Lane;
  /** Set by a fault: every message takes so much longer. */
  slowMs = 0;
  /** How likely a connection is to break with any message. */
  breaks = 0;
  /** When all has arrived that was sent on connections that were given up. */
  abandonedUntilMs = 0;

  constructor(
    readonly machine: Machine,
    readonly server: Host,
    readonly kernel: Kernel,
    private readonly distance: Distance,
    readonly copies: Copies,
    readonly chance: Chance,
    /** Whether a new connection waits for what was sent on those before. */
    readonly keepsOrder: boolean,
  ) {
    this.toServer = new Lane(kernel);
    this.toClient = new Lane(kernel);
  }

  delayMs(): number {
    const { leastMs, jitterMs, spikeMs, spikes } = this.distance;
    const spike = spikes > 0 && this.chance.happens(spikes) ? spikeMs * this.chance.next() : 0;
    return leastMs + jitterMs * this.chance.next() + spike + this.slowMs + this.server.slowMs;
  }
}

/** One connection from its beginning to its end, as both sides see it. Nothing overtakes anything on it. */
export class Session implements Subscriber {
  /** Whether this side still reads what the other one says. */
  #clientListens = true;
  #serverListens = true;
  #lastToServerMs: number;
  #lastToClientMs = 0;

  constructor(
    readonly link: Link,
    private readonly onEnd: (cause: Error) => void,
    private readonly onMessage: (channel: string, message: string) => void,
  ) {
    this.#lastToServerMs = link.abandonedUntilMs;
  }

  /** Connects, and is told when the server has answered. */
  open(onReady: () => void): void {
    this.#toServer(() => {
      const { server } = this.link;
      if (server.state === 'dead') {
        this.end(new Error('connect ECONNREFUSED'));
        return;
      }
      server.sessions.add(this);
      server.handle(() => {
        if (this.#serverListens) this.#toClient(onReady);
      });
    });
  }

  /** Asks; exactly one of the two is called, unless the connection ends before. */
  ask(command: string, args: readonly (string | number)[], onReply: (reply: unknown) => void): void {
    const { link } = this;
    if (link.breaks > 0 && link.chance.happens(link.breaks)) {
      // The request is lost on its way, or the reply is.
      const arrives = link.chance.happens(0.5);
      if (arrives) this.#toServer(() => link.server.handle(() => void this.#carryOut(command, args)));
      this.#toServer(() => this.end(new Error('read ECONNRESET')));
      return;
    }
    this.#toServer(() => {
      link.server.handle(() => {
        if (!this.#serverListens) return;
        const reply = this.#carryOut(command, args);
        this.#copy(command, args);
        this.#toClient(() => {
          onReply(reply);
        });
      });
    });
  }

  deliver(channel: string, message: string): void {
    this.#toClient(() => {
      this.onMessage(channel, message);
    });
  }

  /** The server's side ends: what is on its way to it is lost, and the client hears of it. */
  end(cause: Error): void {
    this.#serverListens = false;
    this.link.server.forget(this);
    this.#toClient(() => {
      if (!this.#clientListens) return;
      this.#clientListens = false;
      this.onEnd(cause);
    });
  }

  /** The client gives up. What it has sent may still arrive, unless it is lost. */
  abandon(isLost: boolean): void {
    this.#clientListens = false;
    if (isLost) {
      this.#serverListens = false;
      this.link.server.forget(this);
    } else {
      this.#toServer(() => {
        this.link.server.handle(() => {
          this.#serverListens = false;
          this.link.server.forget(this);
        });
      });
      const { link } = this;
      if (link.keepsOrder) link.abandonedUntilMs = Math.max(link.abandonedUntilMs, this.#lastToServerMs);
    }
  }

  /** Now and then the command arrives again, whatever has become of the connection by then. */
  #copy(command: string, args: readonly (string | number)[]): void {
    const { copies, chance, kernel, server } = this.link;
    if (copies.share === 0 || command === 'subscribe' || !chance.happens(copies.share)) return;
    server.model.onCopy();
    if (copies.lateMs === 0) this.#carryOut(command, args);
    else {
      kernel.after(copies.lateMs * chance.next(), () => {
        server.handle(() => void this.#carryOut(command, args));
      });
    }
  }

  #carryOut(command: string, args: readonly (string | number)[]): unknown {
    const { model } = this.link.server;
    try {
      if (command === 'subscribe') model.subscribe(String(args[0]), this);
      else if (command === 'unsubscribe') model.unsubscribe(this, String(args[0]));
      else return model.execute(command, args);
      return args[0];
    } catch (error) {
      if (error instanceof ReplyError) return error;
      throw error;
    }
  }

  #toServer(arrive: () => void): void {
    const { link } = this;
    this.#lastToServerMs = Math.max(this.#lastToServerMs, link.kernel.nowMs() + link.delayMs());
    const run = (): void => {
      link.toServer.arrive(this, () => {
        if (this.#serverListens) arrive();
      });
    };
    link.kernel.at(this.#lastToServerMs, run, true);
  }

  #toClient(arrive: () => void): void {
    const { link } = this;
    this.#lastToClientMs = Math.max(this.#lastToClientMs, link.kernel.nowMs() + link.delayMs());
    link.kernel.at(this.#lastToClientMs, () => {
      link.toClient.arrive(this, () => {
        link.machine.receive(() => {
          if (this.#clientListens) arrive();
        });
      });
    });
  }
}

/** The process around a server: whether it runs, and whom it talks to. */
export class Host {
  state: 'up' | 'stalled' | 'dead' = 'up';
  slowMs = 0;
  readonly sessions = new Set<Session>();
  #backlog: (() => void)[] = [];

  constructor(readonly model: ModelServer) {}

  /** Carries out what has arrived: now, or when it goes on. */
  handle(work: () => void): void {
    if (this.state === 'up') work();
    else if (this.state === 'stalled') this.#backlog.push(work);
  }

  stall(): void {
    if (this.state === 'up') this.state = 'stalled';
  }

  resume(): void {
    if (this.state !== 'stalled') return;
    this.state = 'up';
    for (const work of this.#backlog.splice(0)) work();
  }

  crash(): void {
    this.state = 'dead';
    this.#backlog = [];
    for (const session of [...this.sessions]) session.end(new Error('read ECONNRESET'));
  }

  start(): void {
    this.state = 'up';
  }

  forget(session: Session): void {
    this.sessions.delete(session);
    this.model.unsubscribe(session);
  }
}
