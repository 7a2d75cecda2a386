import { spawn } from 'node:child_process';

/** What cannot be had on this machine, and why. */
export class NotHereError extends Error {}

/**
 * Runs a program to its end. Resolves to what it printed; rejects with the end of that where its code is not 0 or the time is over. The
 * programs are in a process group of their own, so that none of them outlives the time.
 */
export async function run(command, args, { cwd, env = {}, timeoutMs = 15 * 60_000 } = {}) {
  const options = { cwd, detached: true, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] };
  const child = spawn(command, args, options);
  let [stdout, all, isLate] = ['', '', false];
  child.stdout.on('data', (text) => ((stdout += text), (all += text)));
  child.stderr.on('data', (text) => (all += text));
  const timer = setTimeout(() => {
    isLate = true;
    process.kill(-child.pid, 'SIGKILL');
  }, timeoutMs);
  try {
    const code = await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve(signal ?? code));
    });
    if (code === 0) return stdout;
    const why = isLate ? `did not end within ${timeoutMs / 1000} s` : `ended with ${code}`;
    throw Object.assign(new Error(`${[command, ...args].join(' ')} ${why}`), { code, output: all });
  } finally {
    clearTimeout(timer);
  }
}

/** A program that runs on until it has said something, and is then ended by SIGTERM, as by a deploy. */
export async function runUntil(command, args, said, { cwd, env = {}, timeoutMs = 120_000 } = {}) {
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let all = '';
  const closed = new Promise((resolve) => child.once('close', (code, signal) => resolve(signal ?? code)));
  const heard = new Promise((resolve) => {
    const listen = (text) => {
      all += text;
      if (all.includes(said)) resolve(true);
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  const isThere = await Promise.race([heard, closed.then(() => false)]);
  child.kill('SIGTERM');
  const end = await closed;
  clearTimeout(timer);
  if (isThere && (end === 'SIGTERM' || end === 0)) return all;
  throw Object.assign(new Error(`${[command, ...args].join(' ')} ended with ${end}`), { output: all });
}
