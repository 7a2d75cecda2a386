/*
 * Anything can be thrown: also an object that no text can be made of, and an error whose message is no text. What is done about it (the
 * end of a lock, a log line) must not fail for that.
 */

/** The message of what was thrown, or its name where it has none. Never throws. */
export function errorText(thrown: unknown): string {
  try {
    return String(thrown instanceof Error ? thrown.message || thrown.name : thrown);
  } catch {
    return 'something that cannot be printed';
  }
}

/** The stack of what was thrown, or undefined where it has none. Never throws. */
export function errorStack(thrown: unknown): string | undefined {
  try {
    const stack: unknown = thrown instanceof Error ? thrown.stack : undefined;
    return typeof stack === 'string' ? stack : undefined;
  } catch {
    return undefined;
  }
}

/** What was thrown, as an error. Never throws. */
export function toError(thrown: unknown): Error {
  try {
    if (thrown instanceof Error) return thrown;
  } catch {
    // Below.
  }
  return new Error(errorText(thrown));
}
