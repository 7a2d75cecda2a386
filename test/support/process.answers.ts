import type { Answer, Question } from './process.interface.js';

/** The other side of an `OwnProcess`: answers its questions, several at a time, and ends when nobody can ask any more. */
export function answerQuestions(answer: (question: never) => Promise<unknown>): void {
  process.on('message', ({ id, question }: Question) => {
    answer(question as never).then(
      (value) => {
        reply({ id, answer: value });
      },
      (error: unknown) => {
        reply({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
      },
    );
  });
  process.on('disconnect', () => process.exit());
}

function reply(answer: Answer): void {
  process.send?.(answer);
}
