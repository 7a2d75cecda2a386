import { checkType, COLON, CR, DOLLAR, isNumber, lengthOf, LF, malformed, MINUS, PLUS } from './resp-line.js';

/** Far beyond any reply to a lock, and far below what would fill the memory. */
const LONGEST_TEXT = 16 * 1024 * 1024;
const LONGEST_LINE = 64 * 1024;
const LONGEST_LIST = 100_000;
const DEEPEST = 8;

const NOTHING = Buffer.alloc(0);

/** What a server has answered with an error. ioredis gives its own this name. */
class ReplyError extends Error {
  override readonly name = 'ReplyError';
}

/** A list whose end has not been received yet. */
interface OpenList {
  left: number;
  readonly size: number;
  /** Its elements, where the replies are taken. */
  readonly items: unknown[];
}

/**
 * Reads what a server sends, and refuses what no Redis answers to the commands of locks. It knows RESP2, in which connections of our own
 * speak, and what our commands are answered with: a text, an error or a list. Source: Redis serialization protocol specification.
 *
 * As long as replies are not taken it reads along before the client does. The client's parser, or what comes after it, would throw at what is refused here: in
 * a handler of the socket, where nothing can catch it, so that the process would end (P17).
 */
export class ReplyReader {
  /** The last reply, if it was an error: what a server says before it hangs up. */
  lastError: string | undefined;
  /** Whether anything was received. */
  heard = false;
  /** From now on lists are those of Pub/Sub: a kind, a channel, and more. */
  subscribed = false;

  #take: ((reply: unknown) => void) | undefined;
  /** A line whose end has not been received yet. */
  #rest = NOTHING;
  /** How many bytes of a text, with its end of line, are still to come, and those that were received in pieces. */
  #textLeft = 0;
  #pieces: Buffer[] = [];
  readonly #open: OpenList[] = [];

  /** Whether no reply has begun that has not ended. The client may have taken one whose last byte is still to come. */
  get isBetweenReplies(): boolean {
    return this.#rest.length === 0 && this.#textLeft === 0 && this.#open.length === 0;
  }

  /** From now on the replies are for the caller: a text, a number, null, a list of those, or an error. Only between two replies. */
  takeReplies(take: (reply: unknown) => void): void {
    this.#take = take;
  }

  /** Returns whether the client must not see it, because its replies are taken. Throws a {@link MalformedReplyError}. */
  read(chunk: Buffer): boolean {
    const isTaken = this.#take !== undefined;
    this.heard = true;
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = NOTHING;
    let at = 0;
    while (at < bytes.length) {
      if (this.#textLeft > 0) {
        at = this.#onText(bytes, at);
        continue;
      }
      const end = bytes.indexOf(LF, at);
      const length = (end < 0 ? bytes.length : end) - at;
      if (length >= LONGEST_LINE) throw malformed('a line without an end');
      checkType(bytes, at, at + length);
      if (end < 0) {
        this.#rest = Buffer.from(bytes.subarray(at));
        break;
      }
      this.#onLine(bytes, at, bytes[end - 1] === CR ? end - 1 : end);
      at = end + 1;
    }
    return isTaken;
  }

  /** Returns where the next reply, or the next piece, begins. */
  #onText(bytes: Buffer, at: number): number {
    const end = Math.min(at + this.#textLeft, bytes.length);
    const isWhole = this.#pieces.length === 0 && end - at === this.#textLeft;
    this.#textLeft -= end - at;
    if (this.#take === undefined) {
      if (this.#textLeft === 0) this.#close(undefined);
    } else if (isWhole) this.#close(bytes.toString('utf8', at, end - 2));
    else {
      this.#pieces.push(Buffer.from(bytes.subarray(at, end)));
      if (this.#textLeft === 0) this.#close(Buffer.concat(this.#pieces.splice(0)).toString('utf8').slice(0, -2));
    }
    return end;
  }

  #onLine(bytes: Buffer, at: number, end: number): void {
    switch (bytes[at]) {
      case PLUS:
        this.#checkText(end - at - 1);
        this.#close(this.#take && bytes.toString('utf8', at + 1, end));
        return;
      case MINUS:
        this.#onError(bytes.toString('utf8', at + 1, end));
        return;
      case COLON:
        if (!isNumber(bytes, at + 1, end)) throw malformed('a number that is none');
        if (this.#open.length === 0 || this.#isHead()) throw malformed('a number in the place of a text or a list');
        this.#close(this.#take && Number(bytes.toString('latin1', at + 1, end)));
        return;
      case DOLLAR:
        this.#onBulk(lengthOf(bytes, at + 1, end, LONGEST_TEXT));
        return;
      default:
        this.#onList(lengthOf(bytes, at + 1, end, LONGEST_LIST));
    }
  }

  #onError(text: string): void {
    if (this.#open.length === 0) this.lastError = text;
    this.#close(this.#take && new ReplyError(text));
  }

  #onBulk(length: number): void {
    this.#checkText(length);
    if (length < 0) this.#close(null);
    else this.#textLeft = length + 2;
  }

  #checkText(length: number): void {
    if (this.#open.length === 0 ? length < 2 : length < 0 && this.#isHead())
      throw malformed('nothing, or next to nothing');
    this.#onGoodReply();
  }

  #onList(size: number): void {
    const depth = this.#open.length;
    if (depth === 0 && size < (this.subscribed ? 3 : 1)) throw malformed('a list that is too short');
    if (this.#isHead()) throw malformed('a list in the place of a text');
    this.#onGoodReply();
    if (size > 0 && depth >= DEEPEST) throw malformed('lists in lists');
    if (size > 0) this.#open.push({ left: size, size, items: [] });
    else this.#close(size < 0 ? null : []);
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
  #close(element: unknown): void {
    let value = element;
    for (let list = this.#open.at(-1); list !== undefined; list = this.#open.at(-1)) {
      if (this.#take !== undefined) list.items.push(value);
      if (--list.left > 0) return;
      this.#open.pop();
      value = list.items;
    }
    this.#take?.(value);
  }
}
