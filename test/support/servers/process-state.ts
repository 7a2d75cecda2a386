import { readFile } from 'node:fs/promises';
import { run } from './run.js';
import { until } from './until.js';

/** The state letter of a process as `ps` shows it: R, S, T (stopped), Z (dead, not yet collected) ... or '' if none. */
export async function processState(pid: number): Promise<string> {
  if (process.platform === 'linux') {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
  }
  const state = await run('ps', ['-o', 'stat=', '-p', String(pid)], 5_000).catch(() => '');
  return state.charAt(0);
}

/** A signal is on its way for a moment: the process may answer once more after `kill` has returned. */
export function untilStopped(pid: number): Promise<void> {
  return until(`process ${pid} has stopped`, 5_000, async () => ['T', 'Z', ''].includes(await processState(pid)));
}
