// What a command may touch of the process; main.ts hands in the real one, tests one of their own.
import type { SecretInput } from './ask-secret.ts';

export interface CliWorld {
  /** Without the program and the script. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly readFile: (path: string) => string;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Where secrets are typed or piped in; absent: nowhere. */
  readonly input?: SecretInput;
  /** Fires when the process is asked to end. */
  readonly stop: AbortSignal;
}
