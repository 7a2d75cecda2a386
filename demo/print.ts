import { isFlawless, type Summary, type Verdict } from './judge.js';
import type { DemoOptions } from './options.js';

/** The output of the demo. */
export interface Printer {
  start(origin: string): void;
  tick(verdict: Verdict, voting: number): void;
  /** A fault that was made on purpose, or its end. */
  note(text: string): void;
  /** An unexpected error. */
  trouble(text: string): void;
  summary(summary: Summary, faults: number): void;
}

export function printerFor(options: DemoOptions): Printer {
  return options.json ? new JsonPrinter(options) : new TextPrinter(options, process.stdout);
}

type Colour = 'red' | 'green' | 'yellow';
const CODES: Record<Colour, number> = { red: 31, green: 32, yellow: 33 };

const TIME_WIDTH = 10;
/** `replica-10!` and a gap. */
const NAME_WIDTH = 12;

const OTHERS = 'skipped, or failed!';

class TextPrinter implements Printer {
  constructor(
    protected readonly options: DemoOptions,
    private readonly out: NodeJS.WriteStream,
  ) {}

  start(origin: string): void {
    const { servers, replicas, ticks } = this.options;
    const end = ticks === Infinity ? 'until Ctrl-C' : count(ticks, 'tick');
    this.write(`${count(servers, 'server')} (${origin}), ${count(replicas, 'replica')}, ${end}`);
    this.write(this.columns('time', ['ran'], [OTHERS], ['voting']));
  }

  tick({ tickMs, ranBy, skippedBy, failed }: Verdict, voting: number): void {
    const { servers } = this.options;
    const ran = ranBy.length === 0 ? 'NO REPLICA' : ranBy.join(' AND ');
    const others = [...skippedBy, ...failed.map(({ replica }) => `${replica}!`)];
    const votes = [`${voting} of ${servers}`, voting < servers ? 'yellow' : undefined] as const;
    this.write(this.columns(clock(tickMs), [ran, ranBy.length === 1 ? 'green' : 'red'], others, votes));
  }

  note(text: string): void {
    this.write(this.paint('yellow', `${clock(Date.now()).padEnd(TIME_WIDTH)}${text}`));
  }

  trouble(text: string): void {
    process.stderr.write(`${text}\n`);
  }

  summary(summary: Summary, faults: number): void {
    const { ticks, runs, ticksWithoutRun, ticksWithMoreRuns, skips, failures, runsBy } = summary;
    const good = isFlawless(summary);
    const verdict = good ? 'each ran exactly once' : 'NOT each of them ran exactly once';
    this.write(this.paint(good ? 'green' : 'red', `${count(ticks, 'tick')}: ${verdict}`));
    this.write(`  ${count(runs, 'run')}, ${ticksWithoutRun} without a run, ${ticksWithMoreRuns} with more than one`);
    this.write(`  ${count(skips, 'skip')}, ${count(failures, 'failure')}, ${count(faults, 'fault')} made on purpose`);
    const runners = Object.entries(runsBy).map(([name, times]) => `${name} ran ${times}`);
    this.write(`  ${runners.sort(byNumber).join(', ') || 'no replica ran'}`);
  }

  /** Times and names stand below each other. */
  private columns(time: string, ran: Cell, others: readonly string[], votes: Cell): string {
    const names = others.map((name) => name.padEnd(NAME_WIDTH)).join('');
    return [
      time.padEnd(TIME_WIDTH),
      this.paint(ran[1], ran[0].padEnd(NAME_WIDTH)),
      names.padEnd(Math.max(NAME_WIDTH * (this.options.replicas - 1), OTHERS.length + 2)),
      this.paint(votes[1], votes[0]),
    ].join('');
  }

  private paint(colour: Colour | undefined, text: string): string {
    const plain = colour === undefined || !this.out.isTTY || process.env.NO_COLOR !== undefined;
    return plain ? text : `\u001b[${CODES[colour]}m${text}\u001b[0m`;
  }

  private write(line: string): void {
    this.out.write(`${line}\n`);
  }
}

/** A text and its colour. */
type Cell = readonly [string, Colour?];

/** The ticks as JSON on stdout, all the rest for people on stderr. */
class JsonPrinter extends TextPrinter {
  constructor(options: DemoOptions) {
    super(options, process.stderr);
  }

  override tick({ tickMs, ranBy, skippedBy, failed }: Verdict, voting: number): void {
    const tick = new Date(tickMs).toISOString();
    const { servers } = this.options;
    process.stdout.write(`${JSON.stringify({ tick, ranBy, skippedBy, failed, voting, servers })}\n`);
  }
}

function clock(atMs: number): string {
  return new Date(atMs).toTimeString().slice(0, 8);
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** `replica-10` after `replica-9`. */
function byNumber(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
