/** How long a test waits for something that has to come. Nothing passes because it is over, so it is meant for the slowest machine. */
export const PATIENCE_MS = 300_000;

/**
 * For what is promised within two seconds, which is on a machine that has nothing else to do: beside other tests, and on a slow one, it takes a multiple.
 * Where the promise is broken it takes minutes, or never ends.
 */
export const SOON_MS = 20_000;
