import { Redis } from 'ioredis';

/** What the servers have worked so far, all together. */
export class ServersMeter {
  private constructor(private readonly clients: readonly Redis[]) {}

  static async open(urls: readonly string[]): Promise<ServersMeter> {
    const clients = urls.map((url) => new Redis(url, { lazyConnect: true, disconnectTimeout: 10 }));
    await Promise.all(clients.map((client) => client.connect()));
    return new ServersMeter(clients);
  }

  /** Of the first so many servers, in microseconds since they started. */
  async cpuUs(servers: number): Promise<number> {
    const texts = await Promise.all(this.clients.slice(0, servers).map((client) => client.info('cpu')));
    return texts.reduce((sum, text) => sum + cpuUsOf(text), 0);
  }

  close(): void {
    for (const client of this.clients) client.disconnect();
  }
}

function cpuUsOf(text: string): number {
  const seconds = (name: string): number => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(text)?.[1]);
  return (seconds('used_cpu_user') + seconds('used_cpu_sys')) * 1e6;
}
