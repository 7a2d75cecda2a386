/** What a server has sent is not what a Redis answers to the commands of locks. The connection cannot go on after it. */
export class MalformedReplyError extends Error {}

export const [LF, CR, PLUS, MINUS, COLON, DOLLAR] = [0x0a, 0x0d, 0x2b, 0x2d, 0x3a, 0x24];
const [STAR, ZERO, ONE] = [0x2a, 0x30, 0x31];

const MOST_DIGITS = 19;

/** What other protocols begin with, and what that means to a user. */
const OTHERS: readonly [RegExp, string][] = [
  [/^[^ -~]/, 'it seems to answer in TLS: a rediss:// URL, or the option tls, is needed for this port'],
  [/^(HTTP\/|<)/, 'it answers in HTTP: this is the port of a web server, not of a Redis'],
];

/** A line that has no end yet is checked too, because another protocol may never end one. */
export function checkType(bytes: Buffer, at: number, end: number): void {
  const type = bytes[at];
  if (type === COLON || type === STAR || type === DOLLAR || type === PLUS || type === MINUS) return;
  if (type === LF) throw malformed('an empty line');
  const line = bytes.toString('latin1', at, end);
  throw malformed(
    OTHERS.find(([form]) => form.test(line))?.[1] ?? `it begins with ${JSON.stringify(line.slice(0, 8))}`,
  );
}

export function isNumber(bytes: Buffer, from: number, to: number): boolean {
  const first = bytes[from] === PLUS || bytes[from] === MINUS ? from + 1 : from;
  if (to <= first || to > first + MOST_DIGITS) return false;
  for (let at = first; at < to; at++) if (!(digitAt(bytes, at) <= 9)) return false;
  return true;
}

/** -1 stands for nothing. */
export function lengthOf(bytes: Buffer, from: number, to: number, most: number): number {
  if (to === from + 2 && bytes[from] === MINUS && bytes[from + 1] === ONE) return -1;
  let length = from < to ? 0 : NaN;
  for (let at = from; at < to; at++) length = 10 * length + digitAt(bytes, at);
  if (!(length <= most)) throw malformed('a length that cannot be');
  return length;
}

/** NaN where there is no digit. */
function digitAt(bytes: Buffer, at: number): number {
  const digit = (bytes[at] ?? 0) - ZERO;
  return digit >= 0 && digit <= 9 ? digit : NaN;
}

export function malformed(what: string): MalformedReplyError {
  return new MalformedReplyError(`its reply is not one of a Redis: ${what}`);
}
