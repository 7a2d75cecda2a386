// Prints the URL of each module that is loaded after this one, to the standard error.
import { register } from 'node:module';

register('./print-loads.hooks.mjs', import.meta.url);
