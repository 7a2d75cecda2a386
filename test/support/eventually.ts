/** Waits for something that will be true in a moment, and says so when it is not. Looks every few milliseconds. */
export async function eventually(
  holds: () => boolean | Promise<boolean>,
  { withinMs = 20_000, what = holds.toString() }: { withinMs?: number; what?: string } = {},
): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error(`Not true within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
