import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Answer, Question } from './process.interface.js';

const LOADER = new URL('ts-loader.mjs', import.meta.url).href;

/**
 * A TypeScript file that runs in a process of its own and answers questions with `answerQuestions`. Its end is an error
 * for whoever waits for an answer, with what it has printed as the reason.
 */
export class OwnProcess<Q, A> implements AsyncDisposable {
  /** All that it has printed, on both streams. */
  output = '';
  readonly #child: ChildProcess;
  readonly #gone: Promise<unknown>;
  readonly #waiting = new Map<number, { resolve: (answer: A) => void; reject: (error: Error) => void }>();
  #questions = 0;

  constructor(file: URL, env: Readonly<Record<string, string>> = {}) {
    // Said, not implied: under Jest `process.env` is a copy, and its own flags are not for others.
    this.#child = fork(fileURLToPath(file), {
      execArgv: ['--import', LOADER],
      silent: true,
      env: { ...process.env, ...env },
    });
    this.#gone = once(this.#child, 'exit');
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (text: Buffer) => {
        this.output += text.toString();
      });
    }
    this.#child.on('message', (answer: Answer) => {
      const { resolve, reject } = this.#waiting.get(answer.id)!;
      this.#waiting.delete(answer.id);
      if ('error' in answer) reject(new Error(answer.error));
      else resolve(answer.answer as A);
    });
    this.#child.once('close', (code, signal) => {
      const error = new Error(`The process ended with ${signal ?? `code ${String(code)}`}. It said: ${this.output}`);
      for (const { reject } of this.#waiting.values()) reject(error);
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  ask(question: Q): Promise<A> {
    const id = ++this.#questions;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ id, question } satisfies Question, (error) => {
        if (error) reject(error);
      });
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Nobody cleans up there any more: whoever wants an orderly end asks for it first. */
  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#gone;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
