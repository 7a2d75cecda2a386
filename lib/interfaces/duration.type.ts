/**
 * A length of time: a number of milliseconds, or a string such as `'500ms'`, `'30s'`, `'5m'`, `'2h'` (the syntax of the
 * `ms` package).
 *
 * @publicApi
 */
export type Duration = number | string;
