import { printable } from '../core/printable.js';

/** What servers add to an error of a script: its hash and the line. They help no user, and tools that group log lines take each for a new error. */
const SCRIPT_TRACES = [
  /,? ?script: [0-9a-f]{40},? on @user_script:\d+\.?/g,
  /ERR Error running script \(call to f_[0-9a-f]{40}\): /g,
  /@?\b(?:user_script|enable_strict_lua):\d+: /g,
  /\bf_[0-9a-f]{40}\b|\b[0-9a-f]{40}\b/g,
];

/** The text of a server for a log line or an error: on one line, shortened, and without the traces of a script. */
export function serverText(message: string): string {
  const plain = SCRIPT_TRACES.reduce((text, trace) => text.replace(trace, ''), message.slice(0, 2000)).trim();
  // The text becomes part of a sentence.
  return printable(plain.replace(/\.+$/, ''));
}
