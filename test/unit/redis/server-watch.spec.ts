import { EventSource } from '../../../lib/client/event-source.js';
import { EventLog } from '../../../lib/client/log.js';
import { serverEvents } from '../../../lib/client/server-events.js';
import { describe, expect, it } from '@jest/globals';
import type { NodeState } from '../../../lib/core/ports/lock-node.js';
import { ServerError, SilenceError, type Connection } from '../../../lib/redis/connection.js';
import type { Identities } from '../../../lib/redis/identities.js';
import { RestartGuard } from '../../../lib/redis/restart-guard.js';
import { ServerGroup } from '../../../lib/redis/server-group.js';
import { ServerWatch } from '../../../lib/redis/server-watch.js';
import { VirtualClock } from '../../support/virtual-clock.js';

const MASTER = 'run_id:a\r\naof_enabled:1\r\nrole:master\r\n';

/** A connection that does as the test says, and whose server answers INFO as it is told to. */
class StandIn implements Connection {
  readonly keyspace = '@0';
  readonly warnings = [];
  database = 0;
  epoch = 1;
  looks = 0;
  selectFails = false;
  state: NodeState = { status: 'ready' };
  onSilenceListener: (forMs: number | undefined) => void = () => undefined;
  #onChange: (state: NodeState) => void = () => undefined;

  constructor(
    readonly name: string,
    public answer: string | Error = MASTER,
    readonly clustered = false,
  ) {}

  ensureConnected(): NodeState {
    return this.state;
  }
  onChange(listener: (state: NodeState) => void): void {
    this.#onChange = listener;
  }
  onSilence(listener: (forMs: number | undefined) => void): void {
    this.onSilenceListener = listener;
  }
  close(): void {
    return undefined;
  }

  send(...[command, , onReply, onError]: Parameters<Connection['send']>): void {
    if (command !== 'select') this.looks++;
    const select = this.selectFails ? new ServerError('ERR DB index is out of range') : 'OK';
    const reply = command === 'select' ? select : this.answer;
    queueMicrotask(() => {
      if (reply instanceof Error) onError(reply);
      else onReply(reply);
    });
  }

  change(state: NodeState): void {
    if (state.status === 'ready') this.epoch++;
    this.state = state;
    this.#onChange(state);
  }
}

const down = (message: string): NodeState => ({ status: 'down', cause: new Error(message) });
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function setUp(count = 1, answer: string | Error = MASTER, clustered = false) {
  const lines: string[] = [];
  const clock = new VirtualClock();
  const identities: Identities = new Map();
  const events = new EventSource();
  const write = (level: string) => (line: string) => void lines.push(`${level}: ${line}`);
  new EventLog(events, { log: write('log'), warn: write('warn'), error: write('error'), debug: write('debug') }, clock);
  const group = new ServerGroup(clock, serverEvents(events, undefined));
  const servers = Array.from({ length: count }, (_, index) => {
    const own = typeof answer === 'string' ? answer.replace('run_id:a', `run_id:${index}`) : answer;
    const connection = new StandIn(`s${index}`, own, clustered);
    const guard = new RestartGuard('witnessed', clock);
    const watch = new ServerWatch(connection, { guard, identities, group, clock });
    /** What a trial write comes to. */
    const trial = { refusal: undefined as Error | undefined, count: 0, answers: true };
    watch.tryWrite = () => {
      trial.count++;
      const { answers, refusal } = trial;
      // It leaves after INFO, and so it is answered after it.
      return new Promise((resolve) => {
        if (answers) queueMicrotask(() => resolve(refusal));
      });
    };
    return { connection, watch, guard, trial };
  });
  const [{ connection, watch, guard, trial }] = servers as [(typeof servers)[number]];
  const boot = async (): Promise<void> => {
    for (const each of servers) each.watch.ensureConnected();
    await settled();
  };
  return { lines, clock, servers, connection, watch, guard, trial, boot };
}

describe('P13: the watch on a server', () => {
  it('lets no server vote that was not inspected, and inspects it again: when a lock is wanted, and by itself', async () => {
    const { connection, watch, clock, lines, boot } = setUp(1, new Error('Command timed out'));
    // As the queue does: every change is a reason to ask.
    watch.onChange(() => watch.ensureConnected());
    expect(watch.ensureConnected()).toEqual({ status: 'connecting' });
    await boot();
    expect(watch.ensureConnected()).toMatchObject({ status: 'down', cause: { message: 'Command timed out' } });
    await settled();
    expect(connection.looks).toBe(1);
    clock.stall(500);
    expect(watch.ensureConnected().status).toBe('down');
    expect(connection.looks).toBe(2);
    await settled();
    connection.answer = MASTER;
    await clock.advance(1000);
    expect(watch.ensureConnected()).toEqual({ status: 'ready' });
    expect(watch.status.state).toBe('ready');
    expect(lines).toEqual([
      'error: Server s0 cannot be used: Command timed out; no lock can be granted until it votes again.',
      'error: Server s0 votes again, after 1500 ms.',
    ]);
  });

  it('sees that a replica has become a master, and a master a replica, without a new connection', async () => {
    const { connection, watch, clock, trial, lines, boot } = setUp(1, MASTER.replace('master', 'slave'));
    await boot();
    expect(watch.ensureConnected()).toMatchObject({
      status: 'down',
      cause: { message: 'is a replica: it does not vote' },
    });
    expect(watch.status).toMatchObject({ state: 'refusing', reason: 'is a replica: it does not vote' });
    connection.answer = MASTER;
    await clock.advance(500);
    expect(watch.ensureConnected()).toEqual({ status: 'ready' });
    connection.answer = MASTER.replace('master', 'slave');
    trial.refusal = new Error("READONLY You can't write against a read only replica.");
    watch.onRefused(trial.refusal);
    await settled();
    expect(watch.ensureConnected()).toMatchObject({ status: 'down' });
    expect(lines.filter((line) => line.includes('is a replica'))).toHaveLength(2);
  });

  it('warns once, and goes on warning in health, that a server allows no INFO, and lets it vote', async () => {
    const { connection, watch, lines } = setUp(1, new ServerError("NOPERM no permissions to run the 'info' command"));
    for (let connections = 0; connections < 2; connections++) {
      connection.epoch++;
      watch.ensureConnected();
      await settled();
      expect(watch.ensureConnected()).toEqual({ status: 'ready' });
    }
    expect(lines).toEqual([expect.stringContaining("'info' command")]);
    expect(watch.warnings).toEqual([
      { code: 'not-inspected', message: expect.stringContaining('its restarts may go unnoticed') },
    ]);
  });

  it('warns once of what endangers locks on a Cluster, and inspects none of its nodes', async () => {
    const { connection, watch, lines, boot } = setUp(1, '', true);
    await boot();
    expect(watch.ensureConnected()).toEqual({ status: 'ready' });
    connection.epoch++;
    await boot();
    expect(watch.ensureConnected()).toEqual({ status: 'ready' });
    expect(lines).toEqual([expect.stringContaining('failover')]);
    expect(watch.warnings).toEqual([{ code: 'cluster', message: expect.stringContaining('failover') }]);
    expect(connection.looks).toBe(0);
  });

  it('P1: does not let a server vote on which the database cannot be selected, until it can be', async () => {
    const { connection, watch, clock, lines } = setUp();
    connection.database = 99;
    connection.selectFails = true;
    watch.ensureConnected();
    await settled();
    const reason = 'does not vote, because database 99 cannot be selected: ERR DB index is out of range';
    expect(watch.ensureConnected()).toMatchObject({ status: 'down', cause: { message: reason } });
    expect(watch.status).toMatchObject({ state: 'refusing', reason });
    expect(lines).toEqual([`error: Server s0 ${reason}; no lock can be granted until it votes again.`]);
    connection.selectFails = false;
    await clock.advance(500);
    expect(watch.status.state).toBe('ready');
  });

  it('does not let a server vote that is loading its data, or that demands a password', async () => {
    for (const [answer, state] of [
      [`${MASTER}loading:1\r\n`, 'refusing'],
      [new ServerError('NOAUTH Authentication required.'), 'down'],
    ] as const) {
      const { connection, watch, clock, boot } = setUp(1, answer);
      await boot();
      expect(watch.ensureConnected().status).toBe('down');
      expect(watch.status).toMatchObject({ state, reason: expect.stringMatching(/LOADING|NOAUTH/) });
      connection.answer = MASTER;
      await clock.advance(500);
      expect(watch.status.state).toBe('ready');
    }
  });
});

describe('P17: a server that refuses to write', () => {
  const OOM = new Error("SET: OOM command not allowed when used memory > 'maxmemory'.");

  it.each(['OOM', 'NOREPLICAS', 'NOPERM', 'READONLY', 'LOADING', 'MISCONF', 'ERR ACL failure in script:'])(
    'with %s is refusing after a request that it refused, says so once, and is back by itself',
    async (code) => {
      const { watch, clock, trial, lines, boot } = setUp();
      await boot();
      trial.refusal = new Error(`${code} no`);
      for (let request = 0; request < 5; request++) watch.onRefused(new Error(`SET: ${code} no`));
      await settled();
      expect(watch.status).toMatchObject({ state: 'refusing', reason: `${code} no` });
      await clock.advance(60_000);
      expect(lines).toEqual([
        `error: Server s0 refuses to write, so it does not vote: ${code} no; no lock can be granted until it votes again.`,
      ]);
      trial.refusal = undefined;
      await clock.advance(4000);
      expect(watch.status.state).toBe('ready');
      expect(lines.slice(1)).toEqual([expect.stringMatching(/^error: Server s0 votes again, after 6[0-4] s\.$/)]);
    },
  );

  it('is not refusing because of a request that only its key refuses', async () => {
    const { watch, trial, boot } = setUp();
    await boot();
    watch.onRefused(new Error('GET: WRONGTYPE Operation against a key holding the wrong kind of value'));
    expect(trial.count).toBe(0);
    watch.onRefused(new Error('NOPERM No permissions to access a key'));
    await settled();
    expect(trial.count).toBe(1);
    expect(watch.status.state).toBe('ready');
  });

  it('for another reason before it becomes a replica is quarantined when it is promoted', async () => {
    const { connection, watch, guard, clock, trial, boot } = setUp(1, `${MASTER}master_replid:a\r\n`);
    await boot();
    guard.onRequest({ kind: 'acquire', token: 't', owner: 'o', claims: [{ key: 'k', ttlMs: 60_000 }] });
    trial.refusal = new Error('NOREPLICAS no');
    watch.onRefused(trial.refusal);
    await settled();
    trial.refusal = new Error("READONLY You can't write against a read only replica.");
    connection.answer = 'run_id:0\r\naof_enabled:1\r\nrole:slave\r\nmaster_replid:b\r\n';
    await clock.advance(4000);
    expect(watch.status).toMatchObject({ state: 'refusing', reason: 'is a replica: it does not vote' });
    trial.refusal = undefined;
    connection.answer = `${MASTER}master_replid:c\r\nmaster_replid2:b\r\n`.replace('run_id:a', 'run_id:0');
    await clock.advance(10_000);
    expect(watch.status.state).toBe('quarantined');
  });

  it('is found by those who ask for its health, also where no lock was asked for', async () => {
    const { watch, trial, boot } = setUp();
    await boot();
    expect(await watch.check(500)).toEqual(expect.any(Number));
    trial.refusal = OOM;
    await watch.check(500);
    expect(watch.status).toMatchObject({ state: 'refusing', reason: OOM.message });
    trial.refusal = undefined;
    await watch.check(500);
    expect(watch.status.state).toBe('ready');
  });
});

describe('P13: a look at the health of a server', () => {
  it('sees what was changed on a connection that stays: its settings, and that it was a replica meanwhile', async () => {
    const { connection, watch, guard, boot } = setUp(1, `${MASTER}master_replid:a\r\n`);
    await boot();
    guard.onRequest({ kind: 'acquire', token: 't', owner: 'o', claims: [{ key: 'k', ttlMs: 60_000 }] });
    expect(watch.warnings).toEqual([]);
    connection.answer = 'run_id:0\r\nrole:master\r\naof_enabled:0\r\nmaster_replid:c\r\nmaster_replid2:b\r\n';
    await watch.check(500);
    expect(watch.warnings).toMatchObject([{ code: 'no-append-only-file' }]);
    expect(watch.status).toMatchObject({ state: 'quarantined' });
  });

  it('is one look, however many ask at once', async () => {
    const { connection, watch, trial, boot } = setUp();
    await boot();
    await Promise.all([watch.check(500), watch.check(500), watch.check(500)]);
    expect([connection.looks, trial.count]).toEqual([2, 1]);
    await watch.check(500);
    expect([connection.looks, trial.count]).toEqual([3, 2]);
  });

  it('asks no INFO of a cluster', async () => {
    const { connection, watch, boot } = setUp(1, MASTER, true);
    await boot();
    await watch.check(500);
    expect([connection.looks, watch.status.state]).toEqual([0, 'ready']);
  });
});

describe('P4: the state of a server', () => {
  it('is ready where the other name of it, which had its vote, cannot be reached any more', async () => {
    const { servers, clock, boot } = setUp(2);
    const [one, other] = servers as [(typeof servers)[number], (typeof servers)[number]];
    other.connection.answer = one.connection.answer;
    await boot();
    expect(other.watch.status).toMatchObject({ state: 'down', reason: expect.stringContaining('listed twice') });
    one.connection.change(down('connect ECONNREFUSED 127.0.0.1:1'));
    await clock.advance(4000);
    expect(other.watch.status.state).toBe('ready');
  });

  it('is connecting before the first outcome, and then what the last try has come to', async () => {
    const { connection, watch, clock, lines } = setUp();
    expect(watch.status).toMatchObject({ state: 'connecting', reason: 'not connected yet' });
    const since = watch.status.since.getTime();
    await clock.advance(50);
    connection.change(down('connect ECONNREFUSED 127.0.0.1:1'));
    const first = watch.status;
    expect(first).toMatchObject({ state: 'down', reason: 'connect ECONNREFUSED 127.0.0.1:1' });
    expect(first.since.getTime()).toBe(since + 50);
    connection.state = { status: 'connecting' }; // It tries again.
    await clock.advance(5000);
    expect(watch.status).toEqual(first);
    connection.change(down('connect ECONNREFUSED 127.0.0.1:1'));
    expect(watch.status).toEqual(first);
    expect(lines).toHaveLength(1);
    connection.change({ status: 'ready' });
    expect(watch.status.state).toBe('down'); // It is not inspected yet.
    watch.ensureConnected();
    await settled();
    expect(watch.status).toEqual({ state: 'ready', since: new Date(since + 5050) });
  });

  it('is not told of a connection that was idle and is made again', async () => {
    const { connection, watch, lines, boot } = setUp();
    await boot();
    const before = watch.status;
    connection.change({ status: 'connecting' });
    expect(watch.status).toEqual(before);
    connection.change({ status: 'ready' });
    watch.ensureConnected();
    await settled();
    expect(watch.status).toEqual(before);
    expect(lines).toEqual([]);
  });

  it('is silent when it does not answer, also on the connections after that', async () => {
    const { connection, watch, clock, trial, lines, boot } = setUp();
    await boot();
    connection.onSilenceListener(1000);
    expect(watch.status).toMatchObject({ state: 'silent', reason: 'no answer for 1000 ms' });
    connection.change({ status: 'down', cause: new SilenceError('no answer for 10000 ms') });
    expect(watch.status).toMatchObject({ state: 'silent', reason: 'no answer for 10000 ms' });
    connection.change({ status: 'ready' });
    expect(watch.status.state).toBe('silent');
    watch.ensureConnected();
    await settled();
    expect(watch.status.state).toBe('ready');
    expect(lines).toEqual([
      'error: Server s0 does not answer: no answer for 1000 ms; no lock can be granted until it votes again.',
      'error: Server s0 votes again, after 0 ms.',
    ]);
    trial.answers = false;
    const checked = watch.check(40);
    await clock.advance(40);
    expect(await checked).toBeUndefined();
    expect(watch.status).toMatchObject({ state: 'silent', reason: 'no answer within 40 ms' });
  });

  it('P12: is quarantined for as long as it may have forgotten locks, and then ready by itself', async () => {
    const { watch, guard, clock, lines, boot } = setUp(3);
    await boot();
    guard.onRequest({ kind: 'acquire', token: 't', owner: 'o', claims: [{ key: 'k', ttlMs: 5000 }] });
    for (const marker of ['one', 'two', 'three']) {
      guard.onMarker(marker);
      watch.onLoss();
    }
    expect(watch.status).toMatchObject({ state: 'quarantined', reason: 'may have forgotten locks; votes in 5000 ms' });
    await clock.advance(5000);
    expect(watch.status.state).toBe('ready');
    expect(lines).toEqual([
      'warn: Server s0 has lost its data, and may have forgotten locks: it is quarantined for 5000 ms, until those locks ' +
        'have expired; 2 of 3 servers vote, and 2 are needed.',
      'warn: Server s0 votes again, after 5000 ms; 3 of 3 servers vote, and 2 are needed.',
    ]);
  });
});

describe('P12: a server that had lost its data before a longer lock is asked for', () => {
  it('is quarantined for the rest of that time, says so, and is ready then', async () => {
    const { watch, guard, clock, lines, boot } = setUp(3);
    await boot();
    const acquire = (ttlMs: number): void => {
      guard.onRequest({ kind: 'acquire', token: 't', owner: 'o', claims: [{ key: 'k', ttlMs }] });
    };
    acquire(5000);
    guard.onMarker('one', 60_000);
    watch.onLoss();
    expect(watch.status.state).toBe('ready');
    acquire(50_000);
    expect([watch.status.state, lines]).toEqual(['ready', []]);
    acquire(300_000);
    expect(watch.status.state).toBe('quarantined');
    await clock.advance(240_000);
    expect(watch.status.state).toBe('ready');
    expect(lines).toEqual([
      expect.stringMatching(/^warn: Server s0 has lost its data.* quarantined for 4 min/),
      expect.stringMatching(/^warn: Server s0 votes again, after 4 min/),
    ]);
  });
});

describe('P12, P17: a server that has lost its data, where jobs have ticks', () => {
  it('says for how long it does not vote on ticks, also when it votes on locks again', async () => {
    const { watch, guard, clock, lines, boot } = setUp(3);
    await boot();
    const tick = { key: 'tick', ttlMs: 90_000, quarantineMs: 62_000, staysBehind: true };
    guard.onRequest({ kind: 'acquire', token: 't', owner: 'o', claims: [{ key: 'k', ttlMs: 5000 }, tick] });
    guard.onMarker('one');
    guard.onMarker('two');
    watch.onLoss();
    expect(watch.status.reason).toBe(
      'may have forgotten locks; votes in 5000 ms, and on ticks and longer holds in up to 62000 ms',
    );
    await clock.advance(5000);
    expect(watch.status).toMatchObject({
      state: 'ready',
      reason: 'votes, but on ticks and longer holds up to 57000 ms later',
    });
    await clock.advance(57_000);
    expect(watch.status).not.toHaveProperty('reason');
    expect(lines).toEqual([
      'warn: Server s0 has lost its data, and may have forgotten locks: it is quarantined for 5000 ms (on ticks and ' +
        'longer holds for up to 62 s), until those locks have expired; 2 of 3 servers vote, and 2 are needed.',
      'warn: Server s0 votes again, after 5000 ms; 3 of 3 servers vote, and 2 are needed; ' +
        'on ticks and longer holds it does not vote for up to 57 s more.',
    ]);
  });
});

describe('P12, P17: a quorum that is back with servers that have lost their data', () => {
  it('says in how long enough servers vote on ticks', async () => {
    const { servers, lines, clock, boot } = setUp(3);
    await boot();
    const tick = { key: 'tick', ttlMs: 90_000, quarantineMs: 62_000, staysBehind: true };
    for (const { guard, watch } of servers.slice(1)) {
      guard.onRequest({ kind: 'acquire', token: 't', owner: 'o', claims: [{ key: 'k', ttlMs: 5000 }, tick] });
      guard.onMarker('one');
      guard.onMarker('two');
      watch.onLoss();
      await clock.advance(1000);
    }
    await clock.advance(5000);
    expect(lines.at(-2)).toBe(
      'error: The quorum is back, after 4000 ms: 2 of 3 servers vote, and 2 are needed. Locks are granted again, ' +
        'and the ticks of jobs in up to 57 s.',
    );
  });
});

describe('the log of servers', () => {
  it('says once that the quorum is lost, and once that it is back, and nothing of it while servers connect', async () => {
    const { servers, lines, clock } = setUp(3);
    servers[0]!.connection.change(down('a'));
    servers[1]!.connection.change({ status: 'ready' });
    for (const { watch } of servers.slice(1)) watch.ensureConnected();
    await settled();
    expect(lines.splice(0)).toEqual(['warn: Server s0 cannot be reached: a; 0 of 3 servers vote, and 2 are needed.']);
    servers[1]!.connection.change(down('b'));
    servers[2]!.connection.change(down('c'));
    expect(lines.splice(0)).toEqual([
      'warn: Server s1 cannot be reached: b; 1 of 3 servers vote, and 2 are needed.',
      'error: The quorum is lost: 1 of 3 servers vote, and 2 are needed. No lock can be granted, and no locked job runs, until that many vote.',
      'warn: Server s2 cannot be reached: c; 0 of 3 servers vote, and 2 are needed.',
    ]);
    await clock.advance(1000);
    for (const { connection, watch } of servers) {
      connection.change({ status: 'ready' });
      watch.ensureConnected();
    }
    await settled();
    await clock.advance(0);
    expect(lines.filter((line) => line.includes('quorum'))).toEqual([
      'error: The quorum is back, after 1000 ms: 2 of 3 servers vote, and 2 are needed. Locks are granted again.',
    ]);
  });

  it('has a few lines a minute of a server that changes all the time, and counts the others', async () => {
    const { connection, watch, lines, clock } = setUp();
    for (let round = 0; round < 100; round++) {
      connection.change(down('closed'));
      connection.change({ status: 'ready' });
      watch.ensureConnected();
      await settled();
    }
    expect(lines).toHaveLength(6);
    await clock.advance(60_000);
    expect(lines.slice(6)).toEqual([
      'error: Server s0 votes again, after 0 ms (194 more lines about it were left out).',
    ]);
  });
});
