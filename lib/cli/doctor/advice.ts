import type { FaultCode } from '../../redis/server-faults.js';
import type { ServerWarning } from '../../redis/server-status.js';

/**
 * - `error`: the server cannot be counted on. It does not vote, or it may lose a lock that is held.
 * - `warning`: locks work, and something about them will not.
 * - `note`: nothing is wrong.
 */
export type Level = 'error' | 'warning' | 'note';

/** What only the doctor looks at. */
type DoctorCode =
  | 'quarantined'
  | 'no-channels'
  | 'clock'
  | 'clock-here'
  | 'slow'
  | 'old-version'
  | 'restarted'
  | 'lost-data'
  | 'no-marker'
  | 'unused-prefix'
  | 'one-server'
  | 'even-number'
  | 'no-majority';

export type Code = FaultCode | DoctorCode | Exclude<ServerWarning['code'], 'client-resends' | 'cluster'>;

export interface Advice {
  readonly level: Level;
  readonly what: string;
  readonly means: string;
  readonly todo: string;
}

const NO_VOTE = 'it does not vote';

function error(what: string, todo: string, means = NO_VOTE): Advice {
  return { level: 'error', what, means, todo };
}

function warning(what: string, means: string, todo: string): Advice {
  return { level: 'warning', what, means, todo };
}

/** Each fault in three parts, as the reader needs them: what is wrong, what it means, what to do. */
export const ADVICE: Readonly<Record<Code, Advice>> = {
  unreachable: error('cannot be reached', 'start the server, or correct its address, and look at firewalls'),
  'unknown-host': error('has a name that cannot be resolved', 'correct the name of the host, or look at the DNS'),
  silent: error('does not answer', 'look whether the server is frozen or overloaded, or a firewall drops its packets'),
  'needs-password': error('needs a password', 'set REDLOCK_PASSWORD, and the password of the module'),
  'wrong-password': error('does not accept user and password', 'correct REDLOCK_USERNAME and REDLOCK_PASSWORD'),
  'no-permission': error(
    'does not let this user do what a lock needs',
    "give the user the rules in docs/operations.md, 'Permissions', with the patterns of this prefix",
  ),
  'protected-mode': error('is in protected mode', 'set a password on the server, and give it to the module'),
  'too-many-clients': error('takes no more clients', 'raise maxclients, or close clients that nothing needs'),
  'no-tls': error('seems to speak no TLS on this port', 'use a redis:// URL, or the TLS port of the server'),
  'needs-tls': error('has closed the connection, and may speak TLS on this port', 'use a rediss:// URL'),
  certificate: error(
    'has a certificate that is not trusted',
    'name the file of its authority in REDLOCK_TLS_CA, and check the name in the certificate',
  ),
  loading: error('is loading its data', 'wait: it votes when it has loaded them'),
  replica: error(
    'is a replica, and takes no writes',
    'name its master instead: servers of locks are independent masters',
  ),
  sentinel: error(
    'is a Sentinel, which keeps no locks',
    'name its master here, and give the module { sentinels, name } in the place of this address',
  ),
  duplicate: error(
    'is listed twice',
    'name each server once, and another one in its place',
    'both names have one vote',
  ),
  database: error('does not let the database of its URL be selected', 'correct the number, or allow +select'),
  full: error('is full', 'raise maxmemory, or move other data away from this server'),
  disk: error('cannot write to its disk', 'make room on the disk, or correct the permissions of its folder'),
  'few-replicas': error(
    'has fewer replicas than min-replicas-to-write',
    'connect its replicas again, or set min-replicas-to-write 0: replicas make no lock safer',
  ),
  cluster: error(
    'is a node of a cluster that does not take the keys of locks',
    'use independent servers, or give the module a Cluster client',
  ),
  busy: error('is busy with a script', 'wait, or end that script (SCRIPT KILL)'),
  'no-scripts': error(
    'does not carry out the Lua script of a lock',
    'allow EVAL and EVALSHA: no rename-command, no proxy',
  ),
  refuses: error('refuses what a lock needs', 'look at the reason that it gives'),
  quarantined: error('may have forgotten locks', 'wait until its quarantine is over'),
  'may-evict': error(
    'may evict locks when its memory is full',
    'set maxmemory-policy noeviction',
    'a lock may vanish while it is held',
  ),
  'fencing-counter': warning(
    'has a counter of fencing tokens that is no number',
    'locks with this key are refused here',
    'delete that counter: it starts again at the time of day',
  ),
  'cluster-node': warning(
    'is a node of a cluster',
    'a failover may forget locks, and no process notices it',
    'use independent servers, or give the module a Cluster client',
  ),
  'no-append-only-file': warning(
    'has no append-only file',
    'a restart forgets its locks, and the server does not vote for one to two minutes after it',
    'set appendonly yes',
  ),
  'not-inspected': warning('does not answer INFO', 'some of its restarts are not noticed', 'allow +info'),
  'no-channels': warning(
    'does not let this user notify waiters',
    'waiters of other processes retry from time to time instead of at once',
    'allow +publish +subscribe +unsubscribe +pubsub|numsub, and the channels of this prefix',
  ),
  clock: warning(
    'has another time of day than the other servers',
    'fencing tokens begin at the time of day, and a clock that is stepped ends locks too early',
    'synchronise its clock (chrony or ntpd), slewed and not stepped',
  ),
  'clock-here': warning(
    'The clock of this machine is not that of the servers',
    'a replica with this clock fires its ticks at another time than others',
    'synchronise the clock of this machine',
  ),
  slow: warning(
    'answers slowly',
    'the module waits 500 ms for one server (nodeTimeout)',
    'look at its load and the network',
  ),
  'old-version': warning(
    'is older than Redis 7',
    'this package is not tested with it',
    'upgrade to Redis 7, Redis 8 or Valkey',
  ),
  restarted: warning(
    'was restarted without an append-only file, less than two minutes ago',
    'it may have forgotten locks that are held',
    'wait two minutes before the next restart of a server, and set appendonly yes',
  ),
  'lost-data': warning(
    'has lost its data less than two minutes ago, as a process noticed',
    'processes do not let it vote before every lock that it may have forgotten is over, and on ticks of jobs for up to two minutes',
    'wait two minutes before the next restart of a server, and set appendonly yes',
  ),
  'no-marker': warning(
    'does not have the marker that other servers have',
    'it is new, or has lost its data since a process used it',
    'wait two minutes before the next restart of a server, and set appendonly yes',
  ),
  'unused-prefix': {
    ...{ level: 'note', what: 'No server has the marker of this prefix', means: 'no process has used it here so far' },
    todo: 'check --prefix, if an application runs on these servers',
  },
  'one-server': warning('One server', 'while it is away no lock is granted and no job runs', 'use three'),
  'even-number': warning(
    'The number of servers is even',
    'no more of them may fail than with one server fewer, and one more can',
    'use one fewer, or one more',
  ),
  'no-majority': {
    ...{ level: 'error', what: 'Too few servers can be counted on', means: 'locks are not safe, or cannot be had' },
    todo: 'correct the errors above',
  },
};
