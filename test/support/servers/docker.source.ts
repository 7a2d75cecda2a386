import { basename } from 'node:path';
import type { getContainerRuntimeClient } from 'testcontainers';
import { send } from './admin.js';
import { NotHereError } from './not-here.error.js';
import { onFreePort } from './port.js';
import { Reaper } from './reaper.js';
import { type Release, RELEASES } from './release.js';
import { run } from './run.js';
import { type Machine, PERSISTENCE, type Place, type Source, type SourceOptions } from './source.js';
import { until, untilRefused } from './until.js';

type Engine = Awaited<ReturnType<typeof getContainerRuntimeClient>>;
type Container = ReturnType<Engine['container']['getById']>;

interface Image {
  readonly origin: string;
  readonly image: string;
  /** The server in it. */
  readonly program: string;
}

const INSIDE = 6379;
const START_TIMEOUT_MS = 30_000;

/** An engine that has, or gets, the image of the release, or else the one that `REDIS_IMAGE` names. */
export async function dockerPlace(release?: Release): Promise<Place> {
  await run('docker', ['info'], 10_000).catch((error: unknown) => {
    throw new NotHereError((error as Error).message);
  });
  const { getContainerRuntimeClient, ImageName } = await import('testcontainers');
  const engine = await getContainerRuntimeClient();
  const image = release === undefined ? (process.env.REDIS_IMAGE ?? 'redis:7-alpine') : RELEASES[release].image;
  await engine.image.pull(ImageName.fromString(image), { force: false, platform: undefined });
  const origin = `${image} in Docker`;
  const program = release === undefined ? 'redis-server' : RELEASES[release].program;
  return { origin, open: (options) => dockerSource(engine, { origin, image, program }, options) };
}

/** Servers as containers. */
async function dockerSource(engine: Engine, { origin, ...server }: Image, { args }: SourceOptions): Promise<Source> {
  const reaper = await Reaper.hire();
  return {
    origin,
    create: (name) => {
      const container = `${basename(reaper.root)}-${name}`;
      // Its name is known before it exists: no instant at which nobody would remove it.
      reaper.tell('box', container);
      return Promise.resolve(new DockerMachine(engine, server, args, container));
    },
    close: () => reaper.close(),
  };
}

class DockerMachine implements Machine {
  readonly host: string;
  port = 0;
  onDeath: () => void = () => undefined;
  private container: Container | undefined;
  /** Resolves when the container has ended; none where it does not run. */
  private end: Promise<void> | undefined;

  constructor(
    private readonly engine: Engine,
    private readonly server: Pick<Image, 'image' | 'program'>,
    private readonly args: readonly string[],
    private readonly name: string,
  ) {
    const { host } = engine.info.containerRuntime;
    this.host = host === 'localhost' ? '127.0.0.1' : host;
  }

  get alive(): boolean {
    return this.end !== undefined;
  }

  async start(): Promise<void> {
    if (this.container !== undefined) await this.container.start();
    else if (this.port !== 0) await this.create(this.port);
    else this.port = await onFreePort((port) => this.create(port).then(() => port));
    this.watch();
    await this.untilPong();
  }

  async kill(): Promise<void> {
    const end = this.end;
    if (end === undefined) return;
    // One that is paused takes it, too, and does not wake up first.
    await this.container?.kill({ signal: 'SIGKILL' });
    await end;
    await untilRefused(this.host, this.port);
  }

  async freeze(): Promise<void> {
    await this.container?.pause();
  }

  async thaw(): Promise<void> {
    await this.container?.unpause();
    await this.untilPong();
  }

  /** With the container goes its volume. The next start makes a new one, on the same port. */
  async wipe(): Promise<void> {
    await this.container?.remove({ force: true, v: true });
    this.container = undefined;
  }

  private async create(port: number): Promise<void> {
    const { GenericContainer, Wait } = await import('testcontainers');
    // The container has a network of its own, where Redis takes the port mapping for a stranger.
    const { image, program } = this.server;
    const command = [program, ...PERSISTENCE, ...this.args, '--port', String(INSIDE), '--protected-mode', 'no'];
    const description = new GenericContainer(image)
      .withName(this.name)
      .withCommand(command)
      .withExposedPorts({ container: INSIDE, host: port })
      .withAutoCleanup(false) // Ours is the reaper, which needs no image of its own.
      .withStartupTimeout(START_TIMEOUT_MS)
      .withWaitStrategy(Wait.forSuccessfulCommand(`${program.replace('-server', '-cli')} ping`));
    try {
      const started = await description.start();
      this.container = this.engine.container.getById(started.getId());
    } catch (error) {
      await this.engine.container
        .getById(this.name)
        .remove({ force: true, v: true })
        .catch(() => undefined);
      throw error;
    }
  }

  private watch(): void {
    const done = (): void => {
      this.end = undefined;
      this.onDeath();
    };
    this.end = this.container?.wait().then(done, done);
  }

  private untilPong(): Promise<void> {
    const url = `redis://${this.host}:${this.port}`;
    return until(`${this.name} answers PING`, START_TIMEOUT_MS, () =>
      send(url, 'PING').then(
        () => true,
        () => false,
      ),
    );
  }
}
