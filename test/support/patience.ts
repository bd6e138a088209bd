/** How long a test waits for something that has to come. Nothing passes because it is over, so it is meant for the slowest machine. */
export const PATIENCE_MS = 300_000;
