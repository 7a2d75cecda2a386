import { Inject } from '@nestjs/common';
import { getRedlockToken } from '../redlock.constants.js';

/**
 * Injects the `RedlockService` of a named instance of the module.
 *
 * @publicApi
 */
export const InjectRedlock = (name?: string): PropertyDecorator & ParameterDecorator => Inject(getRedlockToken(name));
