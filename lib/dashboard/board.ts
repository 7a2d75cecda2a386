import type { Rows, TableName } from './rows.js';

/** What goes to the page: rows that are new or have changed, and the ids of those that are gone. */
export interface Change {
  /** The clock of this process, by which all instants are. */
  readonly now: number;
  /** Whether the page must forget what it had. */
  readonly reset?: true;
  readonly set: Partial<Record<TableName, Readonly<Record<string, object>>>>;
  readonly gone?: Partial<Record<TableName, readonly string[]>>;
}

/** A row, and its JSON, by which it is compared with the next one. */
interface Kept {
  readonly row: object;
  readonly json: string;
}

/** The tables as they are now. */
export class Board {
  readonly #tables = new Map<TableName, Map<string, Kept>>();

  /** Puts these rows in the place of the table's, and says what is different; nothing where nothing is. */
  replace(table: TableName, rows: Rows): Change | undefined {
    const before = this.#tables.get(table);
    const after = new Map<string, Kept>();
    const set: Record<string, object> = {};
    for (const [id, row] of rows) {
      const json = JSON.stringify(row);
      after.set(id, { row, json });
      if (before?.get(id)?.json !== json) set[id] = row;
    }
    const gone = [...(before?.keys() ?? [])].filter((id) => !after.has(id));
    this.#tables.set(table, after);
    const isFirst = before === undefined;
    if (!isFirst && gone.length === 0 && Object.keys(set).length === 0) return undefined;
    return { now: Date.now(), set: { [table]: set }, ...(gone.length > 0 && { gone: { [table]: gone } }) };
  }

  /** Everything, for a page that has nothing yet. A table that has not been read yet is missing. */
  all(): Change {
    const tables = [...this.#tables].map(([table, rows]) => {
      return [table, Object.fromEntries([...rows].map(([id, { row }]) => [id, row]))] as const;
    });
    return { now: Date.now(), reset: true, set: Object.fromEntries(tables) };
  }

  clear(): void {
    this.#tables.clear();
  }
}
