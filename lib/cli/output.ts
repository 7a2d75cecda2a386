import { printable } from '../core/printable.js';
import type { Secrets } from '../redis/connection.js';
import type { Io } from './io.js';

const STYLES = { red: '31', yellow: '33', green: '32', dim: '2', bold: '1' } as const;

export type Style = keyof typeof STYLES;

/** What JSON leaves as it is, and a terminal may take for a command. */
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/** Where the command writes: without a password in any line, and with colours on a terminal only. */
export class Output {
  readonly #hasColours: boolean;
  readonly #io: Io;
  readonly #secrets: Secrets;

  constructor(io: Io, secrets: Secrets) {
    this.#io = io;
    this.#secrets = secrets;
    // Source: no-color.org. An empty value is none.
    this.#hasColours = io.isTerminal && (io.env.NO_COLOR ?? '') === '';
  }

  paint(style: Style, text: string): string {
    return this.#hasColours ? `\u001b[${STYLES[style]}m${text}\u001b[0m` : text;
  }

  line(text = ''): void {
    this.#io.out(`${this.#secrets.cut(text)}\n`);
  }

  /** One value, with all control characters as escapes. A number that is infinite is null. */
  json(value: unknown): void {
    const cut = (_: string, each: unknown): unknown => (typeof each === 'string' ? this.#secrets.cut(each) : each);
    const text = JSON.stringify(value, cut, 2).replaceAll(UNSAFE, (character) =>
      character === '\n' ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
    this.#io.out(`${text}\n`);
  }

  /** Columns as wide as their widest text. */
  table(rows: readonly (readonly string[])[]): void {
    const widths: number[] = [];
    for (const row of rows)
      row.forEach((text, column) => (widths[column] = Math.max(widths[column] ?? 0, text.length)));
    rows.forEach((row, index) => {
      const line = row
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd();
      this.line(index === 0 ? this.paint('bold', line) : line);
    });
  }
}

/** Text of a server or a user in a cell of a table, where a word too long would push the others away. */
export function cell(text: string): string {
  return printable(text, 60);
}

/** A time for people. */
export function duration(ms: number | undefined): string {
  if (ms === undefined) return '-';
  if (!Number.isFinite(ms)) return 'never expires';
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${(ms / 1000).toFixed(1)} s`;
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`;
}
