export { RedlockOtelModule, type RedlockOtelOptions } from './redlock-otel.module.js';
