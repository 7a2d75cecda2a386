/** The terminal, pipe or test that the command runs in. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether the output goes to a terminal. */
  readonly isTerminal: boolean;
  /** Whether a person can be asked. */
  readonly canAsk: boolean;
  out(text: string): void;
  err(text: string): void;
  ask(question: string): Promise<string>;
}
