// What a command may touch of the process; main.ts hands in the real one, tests one of their own.

export interface CliWorld {
  /** Without the program and the script. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly readFile: (path: string) => string;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** What a person, or a pipe, answers; one line. What is typed at a terminal does not show. */
  readonly ask?: (question: string) => Promise<string>;
  /** Fires when the process is asked to end. */
  readonly stop: AbortSignal;
}
