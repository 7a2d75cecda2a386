import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

/** The state letter of a process as `ps` shows it: R, S, T (stopped), Z (dead, not yet collected) ... or '' if none. */
export async function processState(pid: number): Promise<string> {
  if (process.platform === 'linux') {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
  }
  const { stdout } = await promisify(execFile)('ps', ['-o', 'stat=', '-p', String(pid)]).catch(() => ({ stdout: '' }));
  return stdout.charAt(0);
}

/** A signal is on its way for a moment: the process may answer once more after `kill` has returned. */
export async function untilStopped(pid: number): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt += 1) {
    const state = await processState(pid);
    if (state === 'T' || state === '' || state === 'Z') return;
    await sleep(2);
  }
  throw new Error(`Process ${pid} did not stop within a second of SIGSTOP.`);
}
