// The one error family. Each room keeps its own table of codes in its `errors.ts`;
// facades turn a code into a status and a body, the CLI into an exit code.

export const FOUNDATION_ERRORS = {
  SEAL_BROKEN: 'A sealed secret was altered, or sealed with another master key',
} as const;

export interface ErrorOptionsOf {
  /** What to do next, for a person. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** Machine-readable facts (names, limits); never a secret. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** True where the same call may succeed later without a change by anyone. */
  readonly retryable?: boolean;
}

/** Every failure that Leafvault raises on purpose. `message`: operation, subject, reason. */
export class LeafvaultError extends Error {
  readonly code: string;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;
  readonly retryable: boolean;

  constructor(code: string, message: string, options: ErrorOptionsOf = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'LeafvaultError';
    this.code = code;
    this.hint = options.hint;
    this.details = options.details ?? {};
    this.retryable = options.retryable ?? false;
  }
}

/** Narrows to our family, optionally to one code. */
export function isLeafvaultError(error: unknown, code?: string): error is LeafvaultError {
  return error instanceof LeafvaultError && (code === undefined || error.code === code);
}

/** The text of anything thrown, with its causes: `a: b: c`. */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  let at: unknown = error;
  while (at !== undefined && at !== null && parts.length < 6) {
    parts.push(at instanceof Error ? at.message : String(at));
    at = at instanceof Error ? at.cause : undefined;
  }
  return parts.join(': ');
}
