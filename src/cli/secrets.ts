/** Credentials and tokens come from the environment, here and nowhere else. */
export const secrets = (variable: string): string | undefined => process.env[variable];
