import { PGlite } from '@electric-sql/pglite';

const TABLE = 'CREATE TABLE jobs (id int PRIMARY KEY, result text, fence bigint NOT NULL DEFAULT 0)';
const WRITE = 'UPDATE jobs SET result = $3, fence = $1 WHERE id = $2 AND fence <= $1';

/** The database that both replicas use. Each row remembers the newest lock that has written it. PGlite is Postgres in this process. */
export class Jobs {
  private constructor(private readonly db: PGlite) {}

  static async create(): Promise<Jobs> {
    const db = await PGlite.create();
    await db.exec(`${TABLE}; INSERT INTO jobs (id) VALUES (1)`);
    return new Jobs(db);
  }

  /** Whether the row was written. If not, a later holder of the lock has written it before. */
  async write(id: number, result: string, fencingToken: number): Promise<boolean> {
    const { affectedRows } = await this.db.query(WRITE, [fencingToken, id, result]);
    return affectedRows === 1;
  }

  async read(id: number): Promise<string | undefined> {
    const { rows } = await this.db.query<{ result: string }>('SELECT result FROM jobs WHERE id = $1', [id]);
    return rows[0]?.result;
  }

  async close(): Promise<void> {
    await this.db.close();
  }
}
