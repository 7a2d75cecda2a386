/** Milliseconds since the run began, on the monotonic clock that all processes of a machine share and no fault shifts. */
export class SharedClock {
  constructor(readonly originNs: bigint = process.hrtime.bigint()) {}

  nowMs(): number {
    return Number(process.hrtime.bigint() - this.originNs) / 1e6;
  }
}
