import { printable } from '../core/printable.js';

/** What servers add to an error of a script: its hash, and the line. Nobody can use either, and log groupers take each for a new error. */
const SCRIPT_TRACES = [
  /,? ?script: [0-9a-f]{40},? on @user_script:\d+\.?/g,
  /ERR Error running script \(call to f_[0-9a-f]{40}\): /g,
  /@?\b(?:user_script|enable_strict_lua):\d+: /g,
  /\bf_[0-9a-f]{40}\b|\b[0-9a-f]{40}\b/g,
];

/** What a server says, for people: on one line, cut, and without the traces of a script. */
export function serverText(message: string): string {
  const plain = SCRIPT_TRACES.reduce((text, trace) => text.replace(trace, ''), message.slice(0, 2000)).trim();
  // It stands in a sentence.
  return printable(plain.replace(/\.+$/, ''));
}
