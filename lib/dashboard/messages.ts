export const CLOSED =
  'This page is closed: in production it answers only where the application says which requests may see it. ' +
  'To open it, give RedlockDashboardModule.forRoot the option authorize, a function of the request that gives ' +
  "true (everything), 'read' (no buttons) or false.";

export const LOCAL_ONLY =
  'This page is open to browsers on the machine of the application only. ' +
  'To open it to others, give RedlockDashboardModule.forRoot the option authorize, a function of the request that gives ' +
  "true (everything), 'read' (no buttons) or false.";

export const NO_PERMISSION = 'You may not see this page.';
export const READ_ONLY = 'You may see this page, but not change anything.';
export const NOT_FROM_THE_PAGE = 'This request was not sent by the page itself. Reload the page and try again.';
export const TOO_MANY_VIEWERS = 'Too many browsers look at this page. Close one of them.';
export const CLOSING = 'The application shuts down.';
export const FAILED = 'It failed. The log of the replica that answered says why.';

/** As much of it as the servers keep, and the page shows. */
export const RUN_FAILED = (why: string): string => `It has failed: ${why.slice(0, 200)}`;

export const BOOT_CLOSED = (path: string): string =>
  `The dashboard at ${path} answers 403: NODE_ENV is production, and RedlockDashboardModule has no authorize.`;

export const BOOT_LOCAL = (path: string): string =>
  `The dashboard at ${path} is open to this machine only: RedlockDashboardModule has no authorize. With NODE_ENV=production it is closed.`;

export const AUTHORIZE_FAILED = (why: string): string => `authorize of the RedlockDashboardModule failed: ${why}`;

export const RUN_BY_HAND_FAILED = (job: string, why: string): string =>
  `A run of "${job}" that was started by hand failed: ${why}`;

export const BUTTON_FAILED = (why: string): string => `A button of the dashboard failed: ${why}`;

export const UNREAD = (what: string, why: string): string =>
  `The ${what} could not be read, and may be out of date: ${why}`;

export const UNSEARCHED = (server: string, why: string): string => `${server} was not searched for locks: ${why}`;

export const MORE_LOCKS = (limit: number): string =>
  `There are more locks than the ${limit} that are listed, or too many keys to look at.`;
