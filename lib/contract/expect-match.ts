import { AssertionError } from 'node:assert';

/**
 * Throws unless `actual` has everything that `expected` has. An object may have more fields than that, a list may not be longer.
 */
export function expectMatch(actual: unknown, expected: unknown): void {
  if (matches(actual, expected)) return;
  throw new AssertionError({
    message: `Expected\n  ${print(expected)}\nbut got\n  ${print(actual)}`,
    actual,
    expected,
    operator: 'expectMatch',
  });
}

function matches(actual: unknown, expected: unknown): boolean {
  if (Array.isArray(expected)) {
    const hasLength = Array.isArray(actual) && actual.length === expected.length;
    return hasLength && expected.every((each, index) => matches((actual as unknown[])[index], each));
  }
  if (typeof expected !== 'object' || expected === null) return Object.is(actual, expected);
  if (typeof actual !== 'object' || actual === null) return false;
  return Object.entries(expected).every(([name, each]) => matches((actual as Record<string, unknown>)[name], each));
}

/** With the causes of failures: JSON has nothing of an error. */
function print(value: unknown): string {
  return JSON.stringify([value], (_, each: unknown) => (each instanceof Error ? String(each) : each)).slice(1, -1);
}
