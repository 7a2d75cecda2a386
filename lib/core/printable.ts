/*
 * Text from elsewhere (keys, owners, values and errors of servers) goes into log lines and error messages only through here. A raw
 * line break would forge a log line, an escape code would reach the terminal, and a value of 30 MB would fill the disk.
 */

/** Control characters, line and paragraph separators, marks that turn the direction of writing, and halves of characters. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Surrogate}]/gu;

/** Long enough for any host name, owner or ordinary key. */
const DEFAULT_LENGTH = 200;

/**
 * The text on one line, cut to `most` characters: what cannot be printed becomes an escape such as `\n` or `\u001b`.
 */
export function printable(text: string, most = DEFAULT_LENGTH): string {
  const cut = text.length > most ? `${text.slice(0, most)}...` : text;
  return cut.replace(UNPRINTABLE, escape);
}

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function escape(character: string): string {
  return SHORT[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
