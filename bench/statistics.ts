/** The value below which this part of the values lies, between two of them in proportion. NaN of none. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  const place = (sorted.length - 1) * part;
  const below = sorted[Math.floor(place)] ?? NaN;
  const above = sorted[Math.ceil(place)] ?? NaN;
  return below + (above - below) * (place - Math.floor(place));
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** A median with its quartiles. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

export function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), low: quantile(values, 0.25), high: quantile(values, 0.75) };
}

/** Round by round, because what disturbs one round disturbs both. */
export function ratios(values: readonly number[], base: readonly number[]): number[] {
  return values
    .slice(0, base.length)
    .map((value, round) => value / base[round]!)
    .filter((ratio) => Number.isFinite(ratio));
}
