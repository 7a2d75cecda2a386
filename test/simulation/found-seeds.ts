/**
 * Seeds that have found something once, and what. Every run plays them first. A seed replays its schedule as long as the
 * simulator draws from chance in the same order; what it has found has a test of its own beside.
 */
export const FOUND_SEEDS: readonly { readonly seed: number; readonly found: string }[] = [
  { seed: 197, found: 'what was asked for while it connected left for a server that had forgotten locks' },
  { seed: 839, found: 'a tick ran twice where a replica still waited when its server was trusted again' },
  { seed: 73243, found: 'a lock that had been removed everywhere came back with an extension that nobody had counted' },
  { seed: 12546, found: 'a forced release that was held up took away the lock of the next holder' },
  { seed: 19339, found: 'the checker took an end of validity that comes nearer for an extension' },
  {
    seed: 21344,
    found: 'a lock was handed out whose maxHold was over, because the process stood still while servers answered',
  },
  {
    seed: 1008078,
    found:
      'an attempt without a fencing token was undone in silence, and whoever took it for the holder waited for its ttl',
  },
  { seed: 1611744, found: 'two contenders spent their time on leading against each other, and nobody ran' },
  { seed: 1602344, found: 'a lone attempt stayed out of the way of nobody, and ran out of time' },
  {
    seed: 1999014551,
    found:
      'a waiter went by the one server that had carried out a release late, and kept the lock for longer than the others',
  },
  { seed: 171135738, found: 'work that had ended well under a lock in doubt was noted as failed' },
  {
    seed: 171065934,
    found: 'the checker took a copy of an acquire that arrived after its release for a run that died',
  },
  {
    seed: 171022527,
    found: 'the checker wanted a contest decided that hung on a silent server, within less than a node timeout',
  },
  {
    seed: 171036592,
    found: 'the checker did not know that a rival keeps a key until it is told that a third one has its other key',
  },
  {
    seed: 181159996,
    found: 'the checker did not know of an extension of its own that was under way when the machine was suspended',
  },
  {
    seed: 181048504,
    found: 'the world called a server up whose new run id a process knew, and whose marker it had still to replace',
  },
  {
    seed: 201153151,
    found: 'the checker did not know that a minHold ends later for those who wait where the machine was suspended',
  },
  {
    seed: 211162407,
    found: 'the checker took a lock that its own process removed by force in the instant of its grant for a late one',
  },
  {
    seed: 241171917,
    found:
      'the checker did not know that what a release leaves of a minHold counts from when it arrives, if none confirmed it',
  },
  {
    seed: 251023828,
    found: 'the checker did not know that a lock may be removed by force between its votes and its fencing token',
  },
  {
    seed: 261020427,
    found: 'the checker did not know that a machine that was suspended may stand still at its late timer',
  },
  {
    seed: 261055101,
    found: 'a ttl that was asked for while the server was down did not count for its quarantine: a second holder',
  },
  {
    seed: 261056607,
    found: 'two contenders with a half of the servers each both led, because one always heard of the fourth vote late',
  },
  { seed: 271100818, found: 'the world ran a tick again that had never begun, and so no replica ran it at all' },
  {
    seed: 281036410,
    found: 'the checker did not know that a process that stood still while servers went away connects to them anew',
  },
  {
    seed: 281053027,
    found: 'the checker did not know that a pause on a half of the servers covers the ticks of before its end there',
  },
  {
    seed: 291047143,
    found:
      'the world let an acquire on a connection that was given up arrive after its release, where it promises not to',
  },
  {
    seed: 321021568,
    found: 'the checker did not know that a network that heals delivers what a process that is paused cannot take back',
  },
  {
    seed: 331030090,
    found: 'the checker did not know that a suspended machine may fire the tick after the last one of the history',
  },
  { seed: 122, found: 'a server that had missed a resume made a tick give up as paused, where it had to wait' },
];
