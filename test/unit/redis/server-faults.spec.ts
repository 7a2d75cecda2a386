import { describe, expect, it } from '@jest/globals';
import { faultIn, mayRefuseAll } from '../../../lib/redis/server-faults.js';

/** As Redis 7, Redis 8, Valkey, Node and this package say it. */
const SAID: readonly [string, string][] = [
  ['connect ECONNREFUSED 127.0.0.1:1', 'unreachable'],
  ['getaddrinfo ENOTFOUND nowhere.test', 'unknown-host'],
  ['no answer for 1000 ms', 'silent'],
  ['not ready within 10000 ms', 'silent'],
  ['NOAUTH Authentication required', 'needs-password'],
  ['WRONGPASS invalid username-password pair or user is disabled', 'wrong-password'],
  ["NOPERM User locks has no permissions to run the 'eval' command", 'no-permission'],
  ["extend: PEXPIRE: The user executing the script can't run this command or subcommand", 'no-permission'],
  ['NOPERM No permissions to access a key', 'no-permission'],
  ['DENIED Redis is running in protected mode', 'protected-mode'],
  ['ERR max number of clients reached', 'too-many-clients'],
  ['no answer to the TLS handshake within 2000 ms', 'no-tls'],
  ['write EPROTO wrong version number: the server may speak no TLS on this port', 'no-tls'],
  [
    'read ECONNRESET, before the server had said anything; a port that speaks TLS does so: it needs a rediss:// URL',
    'needs-tls',
  ],
  ['self-signed certificate in certificate chain', 'certificate'],
  ["Hostname/IP does not match certificate's altnames", 'certificate'],
  ['is loading its data (LOADING): it does not vote until it is done', 'loading'],
  ['is a Sentinel, which keeps no locks: give { sentinels, name } instead', 'sentinel'],
  ['is a replica: it does not vote', 'replica'],
  ["READONLY You can't write against a read only replica", 'replica'],
  ["OOM command not allowed when used memory > 'maxmemory'", 'full'],
  ['MISCONF Redis is configured to save RDB snapshots', 'disk'],
  ['NOREPLICAS Not enough good replicas to write', 'few-replicas'],
  ['CLUSTERDOWN Hash slot not served', 'cluster'],
  ['BUSY Redis is busy running a script', 'busy'],
  ["ERR unknown command 'EVAL', with args beginning with", 'no-scripts'],
  ['SET: ERR Unknown Redis command called from script', 'no-scripts'],
  ["SET: ERR ACL failure in script: User default has no permissions to run the 'set' command", 'no-permission'],
  ['its reply is not one of the lock script', 'no-scripts'],
  ['is the same server as a:1, listed twice: it has one vote', 'duplicate'],
  ['database 99 cannot be selected: ERR DB index is out of range', 'database'],
  ['the counter of its fencing tokens, "ROOM OOM", holds "x"', 'fencing-counter'],
];

describe('the fault of a server', () => {
  it.each(SAID)('"%s" is %s', (message, code) => {
    expect(faultIn(message, 'unreachable')).toBe(code);
  });

  it.each(SAID.filter(([, code]) => !['unreachable', 'fencing-counter'].includes(code)))(
    '"%s" may be what it says to every request',
    (message) => {
      expect(mayRefuseAll(message)).toBe(true);
    },
  );

  it.each([
    'the counter of its fencing tokens, "ROOM OOM", holds "x"',
    'GET: WRONGTYPE Operation against a key holding the wrong kind of value',
  ])('"%s" is about its key alone', (message) => {
    expect(mayRefuseAll(message)).toBe(false);
  });

  it('is open where the words are new', () => {
    expect(faultIn('ERR something else', 'refuses')).toBe('refuses');
  });
});
