import { answerQuestions } from '../../test/support/process.answers.js';
import { watchSockets } from './commands.js';
import type { JobName, Jobs } from './questions.js';

type Handlers = { [Name in JobName]: (question: Jobs[Name]['question']) => Promise<Jobs[Name]['answer']> };

/** Each job is loaded when it is asked for: what one of them needs is not in the memory of the others. */
const HANDLERS: Handlers = {
  cycles: async (question) => (await import('./cycles.js')).cycles(question),
  tries: async (question) => (await import('./tries.js')).tries(question),
  wait: async (question) => (await import('./wait.js')).wait(question),
  keep: async (question) => (await import('./keep.js')).keep(question),
  startReplica: async (question) => (await import('./replica.js')).startReplica(question),
  stopReplica: async () => (await import('./replica.js')).stopReplica(),
  memory: async (question) => (await import('./memory.js')).memory(question),
  count: async (question) => (await import('./memory.js')).count(question),
};

watchSockets();
answerQuestions(({ name, question }: { name: JobName; question: never }) => HANDLERS[name](question));
