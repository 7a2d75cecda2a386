/** What a server has sent is not what a Redis answers to the commands of locks. The connection cannot go on after it. */
export class MalformedReplyError extends Error {}

const [LF, CR, PLUS, MINUS, COLON, DOLLAR, STAR, ZERO, ONE] = [0x0a, 0x0d, 0x2b, 0x2d, 0x3a, 0x24, 0x2a, 0x30, 0x31];

/** Far beyond any reply to a lock, and far below what would fill the memory. */
const LONGEST_TEXT = 16 * 1024 * 1024;
const LONGEST_LINE = 64 * 1024;
const LONGEST_LIST = 100_000;
const DEEPEST = 8;
const MOST_DIGITS = 19;

const NOTHING = Buffer.alloc(0);

/** What other protocols begin with, and what that means to a user. */
const OTHERS: readonly [RegExp, string][] = [
  [/^[^ -~]/, 'it seems to answer in TLS: a rediss:// URL, or the option tls, is needed for this port'],
  [/^(HTTP\/|<)/, 'it answers in HTTP: this is the port of a web server, not of a Redis'],
];

/**
 * Reads along what a server sends, before the client does, and refuses what the client's parser, or what comes after it, would
 * throw at: in a handler of the socket, where nothing can catch it, so that the process would end (P17).
 *
 * It knows RESP2, in which connections of our own speak, and what our commands are answered with: a text, an error or a list.
 * Source: Redis serialization protocol specification.
 */
export class ReplyCheck {
  /** The last reply, if it was an error: what a server says before it hangs up. */
  lastError: string | undefined;
  /** Whether anything was received. */
  heard = false;
  /** From now on lists are those of Pub/Sub: a kind, a channel, and more. */
  subscribed = false;

  /** A line whose end has not been received yet. */
  #rest = NOTHING;
  #skip = 0;
  /** How many elements of each list are still to come, the outermost first, and how many there were. */
  readonly #open: { left: number; readonly size: number }[] = [];

  /** Throws a {@link MalformedReplyError}. */
  read(chunk: Buffer): void {
    this.heard = true;
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = NOTHING;
    let at = 0;
    while (at < bytes.length) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, bytes.length - at);
        this.#skip -= skipped;
        at += skipped;
        continue;
      }
      const end = bytes.indexOf(LF, at);
      const length = (end < 0 ? bytes.length : end) - at;
      if (length >= LONGEST_LINE) throw malformed('a line without an end');
      checkType(bytes, at, at + length);
      if (end < 0) {
        this.#rest = Buffer.from(bytes.subarray(at));
        return;
      }
      this.#onLine(bytes, at, bytes[end - 1] === CR ? end - 1 : end);
      at = end + 1;
    }
  }

  #onLine(bytes: Buffer, at: number, end: number): void {
    switch (bytes[at]) {
      case PLUS:
        this.#onText(end - at - 1);
        return;
      case MINUS:
        if (this.#open.length === 0) this.lastError = bytes.toString('utf8', at + 1, end);
        this.#close();
        return;
      case COLON:
        if (!isNumber(bytes, at + 1, end)) throw malformed('a number that is none');
        if (this.#open.length === 0 || this.#isHead()) throw malformed('a number in the place of a text or a list');
        this.#close();
        return;
      case DOLLAR:
        this.#onBulk(lengthOf(bytes, at + 1, end, LONGEST_TEXT));
        return;
      default:
        this.#onList(lengthOf(bytes, at + 1, end, LONGEST_LIST));
    }
  }

  #onBulk(length: number): void {
    if (length >= 0) this.#skip = length + 2;
    this.#onText(length);
  }

  #onText(length: number): void {
    if (this.#open.length === 0 ? length < 2 : length < 0 && this.#isHead())
      throw malformed('nothing, or next to nothing');
    this.#onGoodReply();
    this.#close();
  }

  #onList(size: number): void {
    const depth = this.#open.length;
    if (depth === 0 && size < (this.subscribed ? 3 : 1)) throw malformed('a list that is too short');
    if (this.#isHead()) throw malformed('a list in the place of a text');
    this.#onGoodReply();
    if (size <= 0) {
      this.#close();
      return;
    }
    if (depth >= DEEPEST) throw malformed('lists in lists');
    this.#open.push({ left: size, size });
  }

  #onGoodReply(): void {
    if (this.#open.length === 0) this.lastError = undefined;
  }

  /** Whether this is the kind or the channel of what Pub/Sub says. */
  #isHead(): boolean {
    const [outer] = this.#open;
    return this.subscribed && this.#open.length === 1 && outer !== undefined && outer.size - outer.left < 2;
  }

  /** An element is complete, and with it each list of which it is the last. */
  #close(): void {
    for (let list = this.#open.at(-1); list !== undefined; list = this.#open.at(-1)) {
      if (--list.left > 0) return;
      this.#open.pop();
    }
  }
}

/** A line that has no end yet is checked too, because another protocol may never end one. */
function checkType(bytes: Buffer, at: number, end: number): void {
  const type = bytes[at];
  if (type === COLON || type === STAR || type === DOLLAR || type === PLUS || type === MINUS) return;
  if (type === LF) throw malformed('an empty line');
  const line = bytes.toString('latin1', at, end);
  throw malformed(
    OTHERS.find(([form]) => form.test(line))?.[1] ?? `it begins with ${JSON.stringify(line.slice(0, 8))}`,
  );
}

function isNumber(bytes: Buffer, from: number, to: number): boolean {
  const first = bytes[from] === PLUS || bytes[from] === MINUS ? from + 1 : from;
  if (to <= first || to > first + MOST_DIGITS) return false;
  for (let at = first; at < to; at++) if (!(digitAt(bytes, at) <= 9)) return false;
  return true;
}

/** -1 stands for nothing. */
function lengthOf(bytes: Buffer, from: number, to: number, most: number): number {
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

function malformed(what: string): MalformedReplyError {
  return new MalformedReplyError(`its reply is not one of a Redis: ${what}`);
}
