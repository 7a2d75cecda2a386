/*
 * Anything can be thrown: also an object that no text can be made of, and an error whose message is no text. What is done about it (the
 * end of a lock, a log line) must not fail for that.
 */

/**
 * The message of what was thrown. Where it has none: those of the errors that it stands for (Node makes one error of its tries
 * to connect to all addresses of a name), or its name. Never throws.
 */
export function errorText(thrown: unknown): string {
  try {
    if (!isError(thrown)) return String(thrown);
    const { message, name, errors } = thrown as { message: unknown; name: unknown; errors?: unknown };
    const causes = Array.isArray(errors) ? errors.map(errorText).join(', ') : '';
    return String([message, causes, name].find(Boolean));
  } catch {
    return 'something that cannot be printed';
  }
}

/** The stack of what was thrown, or undefined where it has none. Never throws. */
export function errorStack(thrown: unknown): string | undefined {
  try {
    const stack: unknown = isError(thrown) ? thrown.stack : undefined;
    return typeof stack === 'string' ? stack : undefined;
  } catch {
    return undefined;
  }
}

/** What was thrown, as an error. Never throws. */
export function toError(thrown: unknown): Error {
  try {
    if (isError(thrown)) return thrown;
  } catch {
    // Below.
  }
  return new Error(errorText(thrown));
}

/** Those of another realm are no instances of this `Error`, and errors may have a tag of their own. */
function isError(thrown: unknown): thrown is Error {
  return thrown instanceof Error || TAGS.has(Object.prototype.toString.call(thrown));
}

const TAGS: ReadonlySet<string> = new Set(['[object Error]', '[object DOMException]']);
