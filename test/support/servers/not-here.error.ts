/** This machine does not have it and is not one that could. Everything else that goes wrong is a failure. */
export class NotHereError extends Error {
  override readonly name = 'NotHereError';
}
