import type { History } from '../history/events.js';
import { read } from '../history/read.js';
import { heldUntilMs, type Span, type Operations } from '../history/operations.js';
import type { Verdict } from '../history/verdict.js';
import type { Absence } from './environment/absences.js';
import type { Life } from './environment/replicas.js';

const LEFT = 110;
const LANE = 26;
const BAR = 18;
const NARROWEST = 1_450;
const PIXELS_A_SECOND = 8;

/** One for the replica in each place, whatever process it is. */
const REPLICAS = ['#3b82c4', '#e08a2e', '#4a9e5c', '#8e63b5', '#b5544f', '#6f7d3a', '#2f9d9d', '#a6699a', '#7a6a5a'];
const DEAD = '#333333';
const STALLED = '#8a6fb0';
const UNTRUSTED = '#e8c55a';
const TROUBLE = '#9cc3df';
const STILL = '#bbbbbb';
const BAD = '#d01010';

export interface Picture {
  readonly history: History;
  readonly absences: readonly Absence[];
  readonly lives: readonly Life[];
  readonly verdicts: readonly Verdict[];
}

/** Servers with their faults, replicas with their pauses, and for each key who held it, as an SVG with a word on each bar. */
export function timelineOf({ history, absences, lives, verdicts }: Picture): string {
  const operations = read(history);
  const keys = [...new Set(operations.locks.flatMap(({ asked }) => asked.keys))].filter(
    (key) => !key.startsWith('warm-up'),
  );
  const lanes = [
    ...Array.from({ length: history.about.servers }, (_, server) => serverLane(server, operations, absences)),
    ...[...new Set(lives.map(({ replica }) => replica))].map((replica) => replicaLane(replica, operations, lives)),
    ...keys.toSorted().map((key) => keyLane(key, operations, lives)),
  ];
  const width = Math.max(NARROWEST, LEFT + x(operations.endAtMs) + 20);
  const height = LANE * (lanes.length + 2);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="11">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...scale(operations.endAtMs, height),
    ...lanes.map(({ name, bars }, index) => {
      const label = `<text x="6" y="${BAR - 5}">${escape(name)}</text>`;
      return `<g transform="translate(0 ${LANE * (index + 1)})">${label}<g transform="translate(${LEFT} 0)">${bars.join('')}</g></g>`;
    }),
    ...marksOf(verdicts, height),
    ...legend(height - 8),
    '</svg>\n',
  ].join('\n');
}

interface LaneOf {
  readonly name: string;
  readonly bars: readonly string[];
}

function serverLane(server: number, { lost, endAtMs }: Operations, absences: readonly Absence[]): LaneOf {
  const own = absences.filter((each) => each.server === server);
  return {
    name: `server ${server + 1}`,
    bars: [
      bar({ fromMs: 0, toMs: endAtMs }, '#eef3ee', 'up'),
      ...own.map((each) => bar(each, colourOf(each.why), each.why)),
      ...lost
        .filter((each) => each.server === server)
        .map(({ atMs }) => `<path d="M${x(atMs)} 0l5 9h-10z" fill="${BAD}"><title>lost its data</title></path>`),
    ],
  };
}

function colourOf(why: string): string {
  if (why === 'dead') return DEAD;
  if (why === 'stalled') return STALLED;
  if (why === 'not trusted') return UNTRUSTED;
  return why.startsWith('in trouble') ? TROUBLE : STILL;
}

function replicaLane(replica: number, { clients, endAtMs }: Operations, lives: readonly Life[]): LaneOf {
  const colour = REPLICAS[replica % REPLICAS.length]!;
  const bars = lives
    .filter((life) => life.replica === replica)
    .flatMap((life) => {
      const untilMs = life.killedAtMs ?? life.stoppedAtMs ?? endAtMs;
      const shifts = life.clock.map(({ atMs, offsetMs }, index) => ({
        fromMs: Math.max(atMs, life.startedAtMs),
        toMs: Math.min(life.clock[index + 1]?.atMs ?? untilMs, untilMs),
        offsetMs,
      }));
      return [
        bar({ fromMs: life.startedAtMs, toMs: untilMs }, `${colour}55`, life.name),
        ...(clients.get(life.name)?.pauses ?? []).map((pause) => bar(pause, DEAD, 'paused')),
        ...shifts
          .filter(({ offsetMs }) => offsetMs !== 0)
          .map((shift) => bar(shift, BAD, `its clock is wrong by ${Math.round(shift.offsetMs)} ms`, [BAR - 3, 3])),
        ...(life.killedAtMs === undefined ? [] : [`<text x="${x(untilMs)}" y="${BAR - 4}" fill="${BAD}">×</text>`]),
      ];
    });
  return { name: `replica ${replica + 1}`, bars };
}

function keyLane(key: string, operations: Operations, lives: readonly Life[]): LaneOf {
  const places = new Map(lives.map(({ name, replica }) => [name, replica]));
  const bars = operations.locks
    .filter(({ asked }) => asked.keys.includes(key))
    .map((lock) => {
      const { client, attempt } = lock.asked;
      const colour = REPLICAS[(places.get(client) ?? 0) % REPLICAS.length]!;
      const span = { fromMs: lock.granted.atMs, toMs: heldUntilMs(operations, lock) };
      return bar(span, colour, `${client}, attempt ${attempt}, fencing token ${String(lock.granted.fence)}`);
    });
  return { name: key, bars };
}

function bar({ fromMs, toMs }: Span, colour: string, title: string, [top, height] = [0, BAR]): string {
  const width = Math.max(0.5, x(toMs) - x(fromMs)).toFixed(1);
  const what = `${title} (${(fromMs / 1000).toFixed(3)} to ${(toMs / 1000).toFixed(3)} s)`;
  return `<rect x="${x(fromMs)}" y="${top}" width="${width}" height="${height}" fill="${colour}"><title>${escape(what)}</title></rect>`;
}

function scale(endAtMs: number, height: number): string[] {
  return Array.from({ length: Math.floor(endAtMs / 10_000) + 1 }, (_, index) => {
    const at = LEFT + x(index * 10_000);
    return `<path d="M${at} 16V${height}" stroke="#dddddd"/><text x="${at}" y="12" fill="#777777">${index * 10} s</text>`;
  });
}

/** Where each violation was complete. */
function marksOf(verdicts: readonly Verdict[], height: number): string[] {
  return verdicts
    .flatMap((verdict) => (verdict.outcome === 'violated' ? verdict.violations : []))
    .map(({ what, events }) => {
      const at = LEFT + x(Math.max(...events.map(({ atMs }) => atMs)));
      return `<path d="M${at} 16V${height}" stroke="${BAD}" stroke-width="1.5"><title>${escape(what)}</title></path>`;
    });
}

/** What the colours of servers and replicas mean. Those of the keys are their holders'. */
function legend(y: number): string[] {
  const words: [string, string][] = [
    [DEAD, 'dead, or paused'],
    [STALLED, 'stalled'],
    [TROUBLE, 'slow or cut off, for a replica'],
    [UNTRUSTED, 'not trusted after a loss of data'],
    [STILL, 'all relays paused'],
    [BAD, 'data lost; clock wrong (below a replica); promise broken (across)'],
  ];
  return words.map(([colour, text], index) => {
    const at = LEFT + index * 190;
    return `<rect x="${at}" y="${y - 9}" width="10" height="10" fill="${colour}"/><text x="${at + 15}" y="${y}">${text}</text>`;
  });
}

function x(atMs: number): number {
  return Math.round((Math.max(0, atMs) / 1_000) * PIXELS_A_SECOND * 10) / 10;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
