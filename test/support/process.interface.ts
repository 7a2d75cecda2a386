/** What goes over the wire between a test and a process of its own. Everything survives JSON. */
export interface Question {
  readonly id: number;
  readonly question: unknown;
}

export type Answer = { readonly id: number } & ({ readonly answer: unknown } | { readonly error: string });
