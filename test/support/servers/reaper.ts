import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import type { Writable } from 'node:stream';

/**
 * Reads what exists from its input and, at the end of the input, does away with it. The end comes with `close()`, and
 * just as well when the process that owns the fleet is killed: nobody else holds the other end.
 */
const SCRIPT = `
trap '' HUP INT TERM
root=$(mktemp -d "$1/redlock-fleet-XXXXXX") || exit 1
echo "$root"
pids= boxes=
while read -r what id; do
  case $what in
    born) pids="$pids $id" ;;
    died) kept=; for pid in $pids; do [ "$pid" = "$id" ] || kept="$kept $pid"; done; pids=$kept ;;
    box) boxes="$boxes $id" ;;
  esac
done
[ -z "$pids" ] || kill -KILL $pids
[ -z "$boxes" ] || docker rm --force --volumes $boxes
for _ in 1 2 3 4 5 6 7 8 9 10; do rm -rf "$root" && break; sleep 0.1; done
`;

/** The one who turns off the lights. It outlives its owner by a moment, and leaves nothing of the fleet behind. */
export class Reaper {
  private constructor(
    private readonly process: ChildProcess,
    /** A temporary folder for data, removed at the end. */
    readonly root: string,
    /** Lines `born PID` and `died PID` and `box CONTAINER`. A child that inherits it can announce itself. */
    readonly input: Writable,
  ) {}

  static async hire(): Promise<Reaper> {
    const child = spawn('sh', ['-c', SCRIPT, 'redlock-fleet-reaper', tmpdir()], {
      detached: true, // A Ctrl-C at the terminal must not reach it.
      stdio: ['pipe', 'pipe', 'ignore'],
      env: process.env,
    });
    child.stdin.on('error', () => {
      // It is gone, so there is nobody to tell.
    });
    const root = await new Promise<string>((resolve, reject) => {
      let line = '';
      child.once('error', reject);
      child.once('exit', (code) => {
        reject(new Error(`The reaper ended at its start with code ${String(code)}: is ${tmpdir()} writable?`));
      });
      child.stdout.on('data', (text: Buffer) => {
        line += text.toString();
        if (line.endsWith('\n')) resolve(line.trimEnd());
      });
    });
    return new Reaper(child, root, child.stdin);
  }

  tell(what: 'died' | 'box', id: string | number): void {
    this.input.write(`${what} ${id}\n`);
  }

  async close(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const gone = once(this.process, 'close');
    this.input.end();
    await gone;
  }
}
