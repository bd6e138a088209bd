// The door of the command line.
export { processInput } from './ask-secret.ts';
export { EXIT_CODES, exitCodeOf } from './errors.ts';
export { runCli } from './run-cli.ts';
export type { CliWorld } from './world.ts';
