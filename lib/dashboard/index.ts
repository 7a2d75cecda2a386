export type { DashboardPermission, RedlockDashboardAsyncOptions, RedlockDashboardOptions } from './options.js';
export type { DashboardRequest } from './request.js';
export { RedlockDashboardModule } from './redlock-dashboard.module.js';
