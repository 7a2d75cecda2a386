import { FENCING_LIMIT, isFencingNumber } from './fencing-number.js';
import type { PauseState, RunEnd, RunStart, RunTrigger } from './ports/job-note.js';

/*
 * The text in which a server keeps the register of a job. A header is followed by at most 20 runs, the newest first; each is one line.
 *
 *   <version> <until|-|*> <covered> <reason>
 *   <token> <fence> <s|m|c|a> <tick> <started> <ended or 0> <r|s|f|l> <owner> <error>
 *
 * `until` is an instant on the clock of the server; `-`: not paused; `*`: paused until it is resumed. `covered` is the latest tick that needs no
 * run any more. s, m, c, a: made by the schedule, manually, to catch up, again. r, s, f, l: running, succeeded, failed, its lock was lost.
 * Reason, owner and error are percent-encoded, and `-` where they are empty: so a line has no other spaces, and only ASCII characters.
 */

export const MOST_RUNS = 20;

/** More than a register can have: a server reads no more of one. */
export const LONGEST_REGISTER = 16_384;

/** More than a header and a run can have with the limits below. One header and 20 runs fit into a register. */
const LONGEST_HEADER = 660;
const LONGEST_RUN = 780;

/** How much of a text is kept: so many characters, which are so many bytes at most once they are encoded. */
interface TextLimit {
  readonly characters: number;
  readonly bytes: number;
}
const OWNER: TextLimit = { characters: 100, bytes: 200 };
const REASON: TextLimit = { characters: 200, bytes: 600 };
const ERROR: TextLimit = { characters: 200, bytes: 400 };

const DAY_MS = 24 * 3600 * 1000;

/** One line of a register: a run, as the server that was asked has heard of it. */
export interface RegisterRun {
  readonly token: string;
  readonly fence: number;
  readonly trigger: RunTrigger;
  /** 0 where it stands for no tick. */
  readonly tickMs: number;
  readonly startedAtMs: number;
  /** 0 where it is not known to have ended. */
  readonly endedAtMs: number;
  readonly outcome: 'running' | RunEnd['outcome'];
  readonly owner: string;
  readonly error: string | undefined;
}

export interface Register {
  /** That of the last pause, or of its end; 0 where there was none. */
  readonly version: number;
  /** Until when the job is paused, in epoch ms on the clock of the server; `open`: until it is resumed. */
  readonly until: number | 'open' | undefined;
  readonly coveredMs: number;
  readonly reason: string;
  /** The newest first. */
  readonly runs: readonly RegisterRun[];
}

export const EMPTY_REGISTER: Register = { version: 0, until: undefined, coveredMs: 0, reason: '', runs: [] };

/** For how long a server remembers a register that is written while the job is paused for this much longer: 0 where it is not, Infinity until it is resumed. */
export function registerLifeMs(pausedLeftMs: number): number {
  return pausedLeftMs + 30 * DAY_MS;
}

const HEADER = /^(\d{1,16}) (\d{1,16}|[-*]) (\d{1,16}) ([!-~]+)$/;
const RUN = /^([!-~]+) (\d{1,16}) ([smca]) (\d{1,16}) (\d{1,16}) (\d{1,16}) ([rsfl]) ([!-~]+) ([!-~]+)$/;

/** Reads what a server shows. Another program may have written it: without a good header it is an empty register, and a line that is no run is left out. */
export function parseRegister(text: string): Register {
  const fullLines = text.slice(0, text.lastIndexOf('\n', LONGEST_REGISTER - 1) + 1);
  const [first = '', ...lines] = fullLines.split('\n', MOST_RUNS + 1);
  const [, version = '', until = '', covered = '', reason = ''] = HEADER.exec(first) ?? [];
  const numbers = [version, covered, ...(/\d/.test(until) ? [until] : [])].map(Number);
  if (first.length > LONGEST_HEADER || version === '' || !numbers.every(isFencingNumber)) return EMPTY_REGISTER;
  return {
    version: Number(version),
    until: until === '-' ? undefined : until === '*' ? 'open' : Number(until),
    coveredMs: Number(covered),
    reason: decodeText(reason),
    runs: lines.flatMap((line) => parseRun(line) ?? []),
  };
}

export function parseRun(line: string): RegisterRun | undefined {
  const [, token, fence, madeBy, tick, started, ended, end, owner = '', error = ''] =
    line.length <= LONGEST_RUN ? (RUN.exec(line) ?? []) : [];
  const [trigger, outcome] = [keyOf(TRIGGERS, madeBy), keyOf(OUTCOMES, end)];
  const numbers = [fence, tick, started, ended].map(Number);
  if (token === undefined || !trigger || !outcome || !numbers.every(isFencingNumber)) return undefined;
  return {
    token,
    fence: Number(fence),
    trigger,
    tickMs: Number(tick),
    startedAtMs: Number(started),
    endedAtMs: Number(ended),
    outcome,
    owner: decodeText(owner),
    error: decodeText(error) || undefined,
  };
}

export function writeRegister({ version, until, coveredMs, reason, runs }: Register): string {
  const untilText = until === undefined ? '-' : until === 'open' ? '*' : whole(until);
  const lines = runs.map((run) => `${run.token} ${whole(run.fence)} ${runWords(run)}\n`);
  return `${whole(version)} ${untilText} ${whole(coveredMs)} ${encodeText(reason, REASON)}\n${lines.join('')}`;
}

/** The line of a run without its token and its number, which the server puts in front. */
export function runWords(run: Omit<RegisterRun, 'token' | 'fence'>): string {
  const { trigger, tickMs, startedAtMs, endedAtMs, outcome, owner, error = '' } = run;
  const times = `${TRIGGERS[trigger]} ${whole(tickMs)} ${whole(startedAtMs)} ${whole(endedAtMs)}`;
  return `${times} ${OUTCOMES[outcome]} ${encodeText(owner, OWNER)} ${encodeText(error, ERROR)}`;
}

/** A run as a process notes it: one without an end goes on. */
export function runOf(owner: string, start: RunStart, end?: RunEnd): Omit<RegisterRun, 'token' | 'fence'> {
  const { trigger, tickMs, startedAtMs } = start;
  const { outcome = 'running', endedAtMs = 0, error } = end ?? {};
  return { trigger, tickMs, startedAtMs, endedAtMs, outcome, owner, error };
}

/** A pause as a process sends it: `*` is an open end. A longer time than 30,000 years is one, too: its end would be no number that a script can count with. */
export function pauseWords({ version, leftMs, reason }: PauseState, coveredMs: number): string {
  const left = leftMs < 1e15 ? whole(Math.ceil(leftMs)) : '*';
  return `${whole(version)} ${left} ${whole(coveredMs)} ${encodeText(reason, REASON)}`;
}

/** For a `steer` that only notes a tick: no register has a lower version. */
export const NO_PAUSE: PauseState = { version: 0, leftMs: 0, reason: '' };

/** Whether a register keeps the whole reason of a pause. */
export function isReason(text: string): boolean {
  return decodeText(encodeText(text, REASON)) === text;
}

/** The opposite of the encoding of a text. What is not encoded well is left as it is. */
export function decodeText(word: string): string {
  if (word === '-') return '';
  try {
    return decodeURIComponent(word);
  } catch {
    return word;
  }
}

function encodeText(text: string, { characters, bytes }: TextLimit): string {
  if (text.length <= Math.min(characters, bytes) && PLAIN_TEXT.test(text)) return text;
  let encoded = '';
  // A character has up to two units, and one that is cut in half is none.
  for (const character of Array.from(text.slice(0, 2 * characters)).slice(0, characters)) {
    const piece = PLAIN.test(character) ? character : encodeURIComponent(character.replace(/\p{Surrogate}/u, '\ufffd'));
    if (encoded.length + piece.length > bytes) break;
    encoded += piece;
  }
  return encoded === '' ? '-' : encoded === '-' ? '%2D' : encoded;
}

/** ASCII characters that can be seen, but for the sign of the encoding. */
const PLAIN = /^[!-$&-~]$/;

/** A text of such characters, but for the one that stands for an empty text. */
const PLAIN_TEXT = /^(?!-$)[!-$&-~]+$/;

const TRIGGERS = { schedule: 's', manual: 'm', 'catch-up': 'c', again: 'a' } as const;
const OUTCOMES = { running: 'r', succeeded: 's', failed: 'f', lost: 'l' } as const;

function keyOf<K extends string>(letters: Readonly<Record<K, string>>, letter: string | undefined): K | undefined {
  return (Object.keys(letters) as K[]).find((key) => letters[key] === letter);
}

/** A number as the script reads one. */
function whole(value: number): number {
  return Math.min(FENCING_LIMIT - 1, Math.max(0, Math.floor(value) || 0));
}
