import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** What a program prints. Its complaints are the error where it fails, or else what is known of the failure. */
export async function run(program: string, args: readonly string[], timeoutMs: number): Promise<string> {
  try {
    // Said, not implied: under Jest `process.env` is a copy of the environment, which a test may change.
    const { stdout } = await execute(program, args, { timeout: timeoutMs, env: process.env });
    return stdout;
  } catch (error) {
    const { message, stderr } = error as Error & { stderr?: string };
    throw new Error(stderr?.trim() === '' || stderr === undefined ? message : stderr.trim(), { cause: error });
  }
}
