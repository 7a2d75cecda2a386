import type { RedlockService } from '../redlock.service.js';

/** What a host may have in the property of a decorated method: what Nest has injected, or what the explorer has put there. */
type Given = RedlockService | readonly RedlockService[] | undefined;

/** The lock services of a host: one of each application that has it, which are several where it is a constant of them all. */
export function servicesOf(host: object, property: symbol): readonly RedlockService[] {
  const given = (host as Record<symbol, Given>)[property];
  return given === undefined ? [] : [given].flat();
}

/**
 * The service to lock with: of an application that lives on, as long as there is one. While the only one left is closing,
 * its own. What stands in for a service in the tests of an application may lack both signs, and counts as alive.
 */
export function serviceOf(host: object, property: symbol): RedlockService | undefined {
  const services = servicesOf(host, property);
  return (
    services.find(({ closing }: Partial<RedlockService>) => !closing?.aborted) ??
    services.find(({ isClosed }) => !isClosed) ??
    services[0]
  );
}

/** Gives the host one more service, in the place of those that are closed. Returns whether it can be given any. */
export function giveService(host: object, property: symbol, service: RedlockService): boolean {
  const open = servicesOf(host, property).filter(({ isClosed }) => !isClosed);
  return Reflect.defineProperty(host, property, { value: [...open, service], configurable: true, writable: true });
}
