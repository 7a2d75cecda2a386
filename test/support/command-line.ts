import { run } from '../../lib/cli/run.js';
import type { Io } from '../../lib/cli/io.js';

/** What a command line has come to. */
export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface Surroundings {
  readonly env?: Io['env'];
  readonly isTerminal?: boolean;
  /** What a person answers; without it there is no terminal to ask on. */
  readonly answer?: (question: string) => string | Promise<string>;
}

/** Carries out a command line in this process. */
export async function commandLine(
  argv: readonly string[],
  { env = {}, isTerminal = false, answer }: Surroundings = {},
): Promise<Outcome> {
  let [out, err] = ['', ''];
  const io: Io = {
    ...{ env, isTerminal, canAsk: answer !== undefined },
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    ask: async (question) => (await answer?.(question)) ?? '',
  };
  return { code: await run(argv, io, '1.2.3'), out, err };
}
