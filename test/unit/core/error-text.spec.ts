import { describe, expect, it } from '@jest/globals';
import { runInNewContext } from 'node:vm';
import { errorStack, errorText, toError } from '../../../lib/core/error-text.js';

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
  [runInNewContext('new Error("of another realm")'), 'of another realm'],
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

  it('has a stack only where that is a text', () => {
    expect(errorStack(new Error('x'))).toContain('error-text.spec');
    for (const thrown of [42, Object.assign(new Error('x'), { stack: 7 }), THROWN.at(-1)?.[0]]) {
      expect(errorStack(thrown)).toBeUndefined();
    }
  });
});
