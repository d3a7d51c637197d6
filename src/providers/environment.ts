/** Credentials and tokens come from the environment, here and nowhere else. */

import type { Secrets } from './secrets.ts';

export const secrets: Secrets = (variable) => process.env[variable];
