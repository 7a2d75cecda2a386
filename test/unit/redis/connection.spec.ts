import { describe, expect, it } from '@jest/globals';
import { inspect } from 'node:util';
import { Secrets, ServerError } from '../../../lib/redis/connection.js';

describe('the error of a call', () => {
  it.each([
    ['an answer of the server', 'ReplyError', ServerError],
    ['a broken connection', 'MaxRetriesPerRequestError', Error],
  ])('P16: %s has its message, and nothing of the command', (_, name, type) => {
    const command = { name: 'auth', args: ['user', 'secret'] };
    const error = new Secrets().toCallError(
      Object.assign(new Error('it did not work'), { name, command, previousErrors: [command] }),
    );
    expect(error.message).toBe('it did not work');
    expect(error instanceof ServerError).toBe(type === ServerError);
    expect(inspect(error, { depth: 9, showHidden: true }) + JSON.stringify(error)).not.toContain('secret');
  });

  it('P4: says what became of each address of a name, where the connection to none can be made', () => {
    const error = new Secrets({ password: 'hunter22' }).toCallError(
      new AggregateError([new Error('connect ECONNREFUSED ::1:6379'), new Error('hunter22')]),
    );
    expect(error).toEqual(new Error('connect ECONNREFUSED ::1:6379, ***'));
  });

  it('is made of anything', () => {
    expect(new Secrets().toCallError('broken')).toEqual(new Error('broken'));
  });
});
