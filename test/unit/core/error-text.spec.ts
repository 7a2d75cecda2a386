import { describe, expect, it } from '@jest/globals';
import { runInNewContext } from 'node:vm';
import { errorStack, errorText, toError } from '../../../lib/core/error-text.js';
import { Secrets, ServerError } from '../../../lib/redis/connection.js';

const thrower = (): never => {
  throw new Error('no');
};

/** What can be thrown, and the text of it. */
const THROWN: readonly (readonly [unknown, string])[] = [
  [new Error('no paper'), 'no paper'],
  [new TypeError(''), 'TypeError'],
  [new AggregateError([new Error('refused ::1'), new Error('refused 127.0.0.1')]), 'refused ::1, refused 127.0.0.1'],
  [new AggregateError([new Error('refused')], 'no address answers'), 'no address answers'],
  [new AggregateError([]), 'AggregateError'],
  [Object.assign(new AggregateError([]), { errors: 'none' }), 'AggregateError'],
  [Object.assign(new Error('with a tag'), { [Symbol.toStringTag]: 'Tagged' }), 'with a tag'],
  [undefined, 'undefined'],
  [Symbol('x'), 'Symbol(x)'],
  [Object.assign(new Error('x'), { message: 42 }), '42'],
  [Object.assign(new Error('x'), { message: Symbol('y') }), 'Symbol(y)'],
  [Object.assign(new Error(''), { name: 3 }), '3'],
  [Object.assign(new Error('x'), { message: Object.create(null) as unknown }), 'something that cannot be printed'],
  [Object.create(null), 'something that cannot be printed'],
  [Object.defineProperty(new Error('x'), 'message', { get: thrower }), 'something that cannot be printed'],
  [new Proxy({}, { get: thrower, getPrototypeOf: thrower }), 'something that cannot be printed'],
];

describe('P17: whatever is thrown', () => {
  it.each(THROWN)('has a text, and is an error: %#', (thrown, text) => {
    expect(errorText(thrown)).toBe(text);
    expect(toError(thrown)).toBeInstanceOf(Error);
  });

  it('of another realm stays what it is: the name tells what a server has refused', () => {
    const thrown: unknown = runInNewContext("Object.assign(new Error('OOM'), { name: 'ReplyError' })");
    expect(toError(thrown)).toBe(thrown);
    expect(new Secrets().toCallError(thrown)).toBeInstanceOf(ServerError);
    expect([errorText(thrown), errorStack(thrown)]).toEqual(['OOM', expect.stringContaining('OOM')]);
    expect(errorText(new DOMException('given up', 'AbortError'))).toBe('given up');
  });

  it('has a stack only where that is a text', () => {
    expect(errorStack(new Error('x'))).toContain('error-text.spec');
    for (const thrown of [42, Object.assign(new Error('x'), { stack: 7 }), THROWN.at(-1)?.[0]]) {
      expect(errorStack(thrown)).toBeUndefined();
    }
  });
});
