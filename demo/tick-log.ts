import { judge, summarize, type Report, type Summary, type Verdict } from './judge.js';

/** A report that is later than so many ticks does not count: the memory of a demo that runs for days must not grow. */
const KEPT = 100;

/** The reports of all ticks from the first on, in order of the ticks. */
export class TickLog {
  private readonly reports = new Map<number, Report[]>();
  /** What was closed: in order, not yet in the sum. */
  private closed: number[] = [];
  private sum = summarize([]);

  record(report: Report): void {
    this.of(report.tickMs).push(report);
  }

  verdict(tickMs: number): Verdict {
    return judge(tickMs, this.of(tickMs));
  }

  /** The replica has run or skipped the tick. A replica whose clock was set forward may never report a tick that it left out. */
  isDone(tickMs: number, replica: string): boolean {
    return this.of(tickMs).some((report) => report.replica === replica && report.what !== 'began');
  }

  isClosed(tickMs: number): boolean {
    return this.closed.includes(tickMs);
  }

  /** The tick belongs to the sum from now on. What is reported of it later still counts. */
  close(tickMs: number): void {
    this.closed.push(tickMs);
    if (this.closed.length <= KEPT) return;
    const oldest = this.closed.shift() ?? tickMs;
    this.sum = summarize([this.verdict(oldest)], this.sum);
    for (const each of this.reports.keys()) if (each <= oldest) this.reports.delete(each);
  }

  summary(): Summary {
    return summarize(
      this.closed.map((tickMs) => this.verdict(tickMs)),
      this.sum,
    );
  }

  private of(tickMs: number): Report[] {
    const found = this.reports.get(tickMs);
    if (found !== undefined) return found;
    const reports: Report[] = [];
    this.reports.set(tickMs, reports);
    return reports;
  }
}
