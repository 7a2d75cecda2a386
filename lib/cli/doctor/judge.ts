import { majorityOf } from '../../core/vote.js';
import { faultIn } from '../../redis/server-faults.js';
import { ADVICE, type Advice, type Code } from './advice.js';
import { clockFindings } from './clocks.js';
import type { Examination } from './examine.js';

/** Something that the doctor has found: about one server, or about all of them. */
export interface Finding extends Advice {
  readonly code: Code;
  readonly server?: string;
}

export interface Diagnosis {
  /** In the order of the servers, and then about all of them. */
  readonly findings: readonly Finding[];
  /** How many servers can be counted on. */
  readonly sound: number;
  readonly needed: number;
  readonly exitCode: 0 | 1 | 2;
}

/** The advice on a code, with what the server itself says of it. */
export function finding(code: Code, server?: string, detail?: string): Finding {
  const advice = ADVICE[code];
  const what = detail === undefined || detail === '' ? advice.what : `${advice.what} (${detail})`;
  return { ...advice, code, what, ...(server !== undefined && { server }) };
}

/** What is wrong with the servers. One server is not counted on for each error, however many errors it has. */
export function judge(servers: readonly Examination[]): Diagnosis {
  const own = [...servers.flatMap(ofServer), ...clockFindings(servers), ...markerFindings(servers)];
  const ill = new Set(own.flatMap(({ level, server }) => (level === 'error' && server !== undefined ? [server] : [])));
  // A server that is listed twice has its name twice, and one vote.
  const names = servers.map(({ health }) => health.server);
  const sound = new Set(names.filter((name) => !ill.has(name) || isSoundTwin(name, servers))).size;
  const needed = majorityOf(servers.length);
  const findings = [...own, ...(sound < needed ? [finding('no-majority')] : []), ...ofNumber(servers.length)];
  const isWell = findings.every(({ level }) => level === 'note');
  return { findings, sound, needed, exitCode: sound < needed ? 2 : isWell ? 0 : 1 };
}

/** The very same URL twice: both entries have one name, and the first of them votes. */
function isSoundTwin(name: string, servers: readonly Examination[]): boolean {
  const twins = servers.filter(({ health }) => health.server === name);
  return twins.length > 1 && twins.some((twin) => ofServer(twin).every(({ level }) => level !== 'error'));
}

function ofServer({ health, info, trial, channels, lostForMs = Infinity }: Examination): Finding[] {
  const { server, state, reason = '', latencyMs = 0, warnings } = health;
  const found: Finding[] = [];
  const note = (code: Code, detail?: string): void => {
    found.push(finding(code, server, detail));
  };
  if (state === 'connecting' || state === 'silent') note('silent', reason);
  else if (state === 'quarantined') note('quarantined', reason);
  else if (state === 'refusing') note(faultIn(reason, 'refuses'), detailIn(reason));
  else if (state === 'down') note(faultIn(reason, 'unreachable'), detailIn(reason));
  if (trial !== undefined) note(faultIn(trial.message, 'refuses'), `${trial.step}: ${trial.message}`);
  else if (channels !== undefined) note('no-channels', channels);
  for (const { code, message } of warnings) {
    if (code === 'not-inspected') note(code, message.split(': ').slice(1).join(': '));
    else if (code === 'fencing-counter') note(code, message);
    else if (code === 'may-evict') note(code, `maxmemory-policy ${info?.evicts ?? ''}`);
    else if (code !== 'client-resends' && code !== 'cluster') note(code);
  }
  if (latencyMs > SLOW_MS) note('slow', `${Math.round(latencyMs)} ms`);
  if (lostForMs < LATELY_MS) note('lost-data', `${Math.round(lostForMs / 1000)} s ago`);
  if (info === undefined) return found;
  if (Number.parseInt(info.version ?? '', 10) < OLDEST_TESTED) note('old-version', info.version);
  if (state === 'ready' && !info.appendOnly && info.uptimeMs < LATELY_MS) note('restarted');
  return found;
}

/** What the advice does not say already. */
function detailIn(reason: string): string {
  const [, twin] = /^is the same server as (.*), listed twice/.exec(reason) ?? [];
  if (twin !== undefined) return `also as ${twin}`;
  return reason.startsWith('is ') ? '' : reason;
}

/** Half of the default nodeTimeout. */
const SLOW_MS = 250;

/** The default clockTolerance, and the longest wait of a tick on top: for so long a claim of a tick that was forgotten may matter. */
const LATELY_MS = 120_000;

const OLDEST_TESTED = 7;

/** A marker that is missing where other servers have theirs. */
function markerFindings(servers: readonly Examination[]): Finding[] {
  const seen = servers.filter(({ marker }) => marker !== undefined);
  const without = seen.filter(({ marker }) => marker?.isThere === false);
  if (seen.length === 0) return [];
  if (without.length === seen.length) return [finding('unused-prefix')];
  return without.map(({ health }) => finding('no-marker', health.server));
}

function ofNumber(count: number): Finding[] {
  if (count === 1) return [finding('one-server')];
  return count % 2 === 0 ? [finding('even-number', undefined, String(count))] : [];
}
