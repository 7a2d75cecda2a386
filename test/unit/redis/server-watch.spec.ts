import { describe, expect, it } from '@jest/globals';
import type { NodeState } from '../../../lib/core/ports/lock-node.js';
import { ServerError, type Connection } from '../../../lib/redis/connection.js';
import { RestartGuard } from '../../../lib/redis/restart-guard.js';
import { ServerWatch } from '../../../lib/redis/server-watch.js';
import { eventually } from '../../support/eventually.js';
import { VirtualClock } from '../../support/virtual-clock.js';

/** A connection that is there, and whose server answers INFO as it is told to. */
class LookedAt implements Connection {
  readonly space = '@0';
  readonly caveats = [];
  readonly name = 's';
  epoch = 1;
  looks = 0;

  constructor(
    public answer: string | Error,
    readonly clustered = false,
  ) {}

  reach(): NodeState {
    return { status: 'ready' };
  }
  onChange(): void {
    return undefined;
  }
  close(): void {
    return undefined;
  }

  call(): Promise<unknown> {
    this.looks++;
    return this.answer instanceof Error ? Promise.reject(this.answer) : Promise.resolve(this.answer);
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function setUp(answer: string | Error, clustered = false) {
  const reports: string[] = [];
  const connection = new LookedAt(answer, clustered);
  const watch = new ServerWatch(connection, new RestartGuard('witnessed', new VirtualClock()), new Map(), (text) =>
    reports.push(text),
  );
  return { connection, watch, reports };
}

describe('P13: the watch on a server', () => {
  it('lets nobody vote who was not looked at, and looks again when somebody asks later', async () => {
    const { connection, watch, reports } = setUp(new Error('Command timed out'));
    // As the courier does: every change is a reason to ask.
    watch.onChange(() => watch.reach());
    expect(watch.reach()).toEqual({ status: 'connecting' });
    await settled();
    expect(watch.reach()).toMatchObject({ status: 'down', cause: { message: 'Command timed out' } });
    await settled();
    expect(connection.looks).toBe(1);
    connection.answer = 'run_id:a\r\naof_enabled:1\r\n';
    await eventually(() => watch.reach().status === 'ready');
    expect(connection.looks).toBe(2);
    expect(reports).toEqual([]);
  });

  it('sees that a replica has become a master, and a master a replica, without a new connection', async () => {
    const { connection, watch, reports } = setUp('run_id:a\r\naof_enabled:1\r\nrole:slave\r\n');
    watch.reach();
    await settled();
    expect(watch.reach()).toMatchObject({ status: 'down', cause: { message: 's is a replica: it does not vote' } });
    connection.answer = 'run_id:a\r\naof_enabled:1\r\nrole:master\r\n';
    await eventually(() => watch.reach().status === 'ready');
    expect(watch.findings).toEqual([]);
    connection.answer = 'run_id:a\r\naof_enabled:1\r\nrole:slave\r\n';
    watch.onReadOnly();
    await settled();
    expect(watch.reach()).toMatchObject({ status: 'down' });
    expect(reports).toEqual(['is a replica: it does not vote']);
  });

  it('says once, and keeps, that a server may not be looked at, and lets it vote', async () => {
    const { connection, watch, reports } = setUp(new ServerError("NOPERM no permissions to run the 'info' command"));
    for (let connections = 0; connections < 2; connections++) {
      connection.epoch++;
      watch.reach();
      await settled();
      expect(watch.reach()).toEqual({ status: 'ready' });
    }
    expect(reports).toEqual([expect.stringContaining("'info' command")]);
    expect(watch.findings).toEqual(reports);
  });

  it('says once, and keeps, what endangers locks on a Cluster, and looks at none of its nodes', () => {
    const { connection, watch, reports } = setUp('', true);
    expect(watch.reach()).toEqual({ status: 'ready' });
    connection.epoch++;
    expect(watch.reach()).toEqual({ status: 'ready' });
    expect(reports).toEqual([expect.stringContaining('failover')]);
    expect(watch.findings).toEqual(reports);
    expect(connection.looks).toBe(0);
  });
});
