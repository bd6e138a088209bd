// The door of the command line.
export { EXIT_CODES, exitCodeOf } from './errors.ts';
export { runCli } from './run-cli.ts';
export type { CliWorld } from './world.ts';
