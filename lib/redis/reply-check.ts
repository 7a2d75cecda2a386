/** What a server has sent is not what a Redis answers to the commands of locks. The connection cannot go on after it. */
export class MalformedReplyError extends Error {}

const LF = 0x0a;

/** Far beyond any reply to a lock, and far below what would fill the memory. */
const LONGEST_TEXT = 16 * 1024 * 1024;
const LONGEST_LINE = 64 * 1024;
const LONGEST_LIST = 100_000;
const DEEPEST = 8;

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

  #line = '';
  #skip = 0;
  /** How many elements of each list are still to come, the outermost first, and how many there were. */
  readonly #open: { left: number; readonly size: number }[] = [];

  /** Throws a {@link MalformedReplyError}. */
  read(chunk: Buffer): void {
    this.heard = true;
    let at = 0;
    while (at < chunk.length) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, chunk.length - at);
        this.#skip -= skipped;
        at += skipped;
        continue;
      }
      const end = chunk.indexOf(LF, at);
      this.#line += chunk.toString('latin1', at, end < 0 ? Math.min(chunk.length, at + LONGEST_LINE) : end);
      if (this.#line.length >= LONGEST_LINE) throw malformed('a line without an end');
      this.#checkType();
      if (end < 0) return;
      this.#onLine(this.#line.replace(/\r$/, ''));
      this.#line = '';
      at = end + 1;
    }
  }

  /** Also of a line that has no end yet: what is no Redis may never end one. */
  #checkType(): void {
    const line = this.#line;
    if (line === '' || '+-:$*'.includes(line.charAt(0))) return;
    throw malformed(
      OTHERS.find(([form]) => form.test(line))?.[1] ?? `it begins with ${JSON.stringify(line.slice(0, 8))}`,
    );
  }

  #onLine(line: string): void {
    if (line === '') throw malformed('an empty line');
    const rest = line.slice(1);
    switch (line.charAt(0)) {
      case '+':
        this.#onText(rest.length);
        return;
      case '-':
        if (this.#open.length === 0) this.lastError = Buffer.from(rest, 'latin1').toString();
        this.#close();
        return;
      case ':':
        if (!/^[+-]?\d{1,19}$/.test(rest)) throw malformed('a number that is none');
        if (this.#open.length === 0 || this.#isHead()) throw malformed('a number in the place of a text or a list');
        this.#close();
        return;
      case '$':
        this.#onBulk(lengthOf(rest, LONGEST_TEXT));
        return;
      default:
        this.#onList(lengthOf(rest, LONGEST_LIST));
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

/** -1 stands for nothing. */
function lengthOf(text: string, most: number): number {
  const length = Number(text);
  if (!/^(-1|\d{1,10})$/.test(text) || length > most) throw malformed('a length that cannot be');
  return length;
}

function malformed(what: string): MalformedReplyError {
  return new MalformedReplyError(`its reply is not one of a Redis: ${what}`);
}
