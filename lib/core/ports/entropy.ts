/** Where chance comes from, so that a simulation can replay it. */
export interface Entropy {
  /** A value that nobody else will ever choose: 128 random bits or more, without white space. */
  token(): string;

  /** Uniform in [0, 1). */
  random(): number;
}
