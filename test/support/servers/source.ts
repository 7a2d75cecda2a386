/** One Redis server that we run: a process or a container. The fleet puts a relay in front and the verbs on top. */
export interface Machine {
  readonly host: string;
  /** Known once it has started, and the same ever after. */
  readonly port: number;
  /** It exists: frozen counts, killed does not. */
  readonly alive: boolean;
  /** Called once for each time that it dies, whoever did it. */
  onDeath: () => void;
  /** Resolves when it answers PING. */
  start(): Promise<void>;
  /** SIGKILL. Resolves when it is dead. Does nothing where it is dead already. */
  kill(): Promise<void>;
  /** Resolves when it has stopped to answer. */
  freeze(): Promise<void>;
  /** Resolves when it answers again. */
  thaw(): Promise<void>;
  /** Removes the data of a dead one. */
  wipe(): Promise<void>;
}

/** Where servers can be had, found but not yet in use. */
export interface Place {
  /** For people: `redis-server 7.0.15 from PATH`. */
  readonly origin: string;
  open(options: SourceOptions): Promise<Source>;
}

/** A place where servers come from. */
export interface Source {
  /** For people: `redis-server 7.0.15 from PATH`. */
  readonly origin: string;
  create(name: string): Promise<Machine>;
  /** Removes whatever may be left: processes, containers, data. */
  close(): Promise<void>;
}

/** How a server is to be started, on top of what the fleet needs. */
export interface SourceOptions {
  readonly args: readonly string[];
  /** Extra environment of the server with this name. A container has none of it. */
  readonly env?: ((server: string) => Readonly<Record<string, string>>) | undefined;
}

/** A SIGKILL must lose nothing that was answered. `everysec` can: it holds writes back while the disk is busy. */
export const PERSISTENCE = ['--save', '', '--appendonly', 'yes', '--appendfsync', 'no'];
