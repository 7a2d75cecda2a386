import { parseRegister, parseRun, registerLifeMs, writeRegister, type Register } from '../../lib/core/register.js';
import { coveredBy, covering, pausedLeftMs, steered, withoutRun, withRun } from '../../lib/testing/register-rules.js';
import { Ended, holderOf, OTHER_TYPE, type Raw, type ScriptHost, type ScriptRequest } from './model-script.js';

/** The register of a job, and what a request says of it: as lib/redis/scripts/register.lua.ts describes it. */
export interface ScriptJob {
  readonly key: string;
  readonly text: string;
}

export function denyBy(host: ScriptHost, job: ScriptJob, { token, claims }: ScriptRequest): Raw | undefined {
  const register = registerOf(host, job);
  const run = runOf(job, token, 0);
  const leftMs = pausedLeftMs(register, wallMs(host));
  if (leftMs > 0) {
    write(host, job, covering(register, run.tickMs));
    return [5, register.version, leftMs === Infinity ? -1 : leftMs, encodeURIComponent(register.reason)];
  }
  const owner = coveredBy(register, token, run, holderOf(host, claims[0]?.key ?? '')?.token);
  return owner === undefined ? undefined : [6, encodeURIComponent(owner)];
}

/** Returns the version of the last pause. */
export function noteIn(host: ScriptHost, job: ScriptJob, { op, token }: ScriptRequest, number: number): number {
  const register = registerOf(host, job);
  const run = runOf(job, token, number);
  const isUndone = op === 'R' && run.outcome === 'running';
  const changed = isUndone ? withoutRun(register, token) : withRun(register, run);
  if (changed !== undefined) write(host, job, changed);
  return register.version;
}

export function steer(host: ScriptHost, job: ScriptJob): Raw {
  const [version, left, covered, reason] = job.text.split(' ');
  const { reason: plain } = parseRegister(`0 - 0 ${reason ?? ''}\n`);
  const pause = { version: Number(version), leftMs: left === '*' ? Infinity : Number(left), reason: plain };
  write(host, job, steered(registerOf(host, job), pause, Number(covered), wallMs(host)));
  return [1];
}

export function show(host: ScriptHost, job: ScriptJob, holder: Raw): Raw {
  return [1, textOf(host, job), wallMs(host), ...holder];
}

function runOf({ text }: ScriptJob, token: string, number: number): NonNullable<ReturnType<typeof parseRun>> {
  const run = parseRun(`${token} ${number} ${text}`);
  if (run === undefined) throw new Error(`not a run of a job: ${JSON.stringify(text)}`);
  return run;
}

function registerOf(host: ScriptHost, job: ScriptJob): Register {
  return parseRegister(textOf(host, job));
}

function textOf(host: ScriptHost, { key }: ScriptJob): string {
  const found = host.get(key);
  if (found === OTHER_TYPE) throw new Ended([7]);
  return (found ?? '').slice(0, 16_384);
}

function write(host: ScriptHost, { key }: ScriptJob, register: Register): void {
  host.set(key, writeRegister(register), registerLifeMs(pausedLeftMs(register, wallMs(host))));
}

function wallMs(host: ScriptHost): number {
  return Math.floor(host.timeUs() / 1000);
}
