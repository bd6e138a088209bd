// The cause of a failure in words that may be shown: no connection string, no password.
import type { JobFailure } from '../catalog/index.ts';
import { describeError, LeafvaultError } from '../foundation/errors.ts';
import { redactUri } from '../foundation/redact.ts';

const LONGEST_MESSAGE = 2000;
const DEEPEST_CAUSE = 5;
// Shorter ones would turn up in ordinary words.
const SHORTEST_SECRET = 3;

export function failureOf(error: unknown, secrets: ReadonlySet<string>): JobFailure {
  const clean = (text: string): string => scrub(text, secrets);
  if (error instanceof LeafvaultError) {
    return { code: error.code, message: clean(withCauses(error)), hint: error.hint === undefined ? null : clean(error.hint) };
  }
  return { code: 'JOBS_FAILED', message: clean(describeError(error)), hint: 'The worker\'s log has more about this job' };
}

/** The message, and behind it what the causes add to it: what a server said is what a person looks for. */
function withCauses(error: LeafvaultError): string {
  let text = error.message;
  for (let cause = error.cause, depth = 0; cause instanceof Error && depth < DEEPEST_CAUSE; cause = cause.cause, depth += 1) {
    if (!text.includes(cause.message)) text += `: ${cause.message}`;
  }
  return text;
}

/** Without the secrets, as they are and as they stand in a connection string, and without control characters. */
export function scrub(text: string, secrets: ReadonlySet<string>): string {
  let clean = redactUri(text);
  for (const secret of secrets) {
    if (secret.length >= SHORTEST_SECRET) clean = clean.replaceAll(secret, '***').replaceAll(encodeURIComponent(secret), '***');
  }
  // PostgreSQL stores no U+0000, and no page wants the others.
  return clean.replace(/[\u0000-\u0008\u000b-\u001f]/g, ' ').slice(0, LONGEST_MESSAGE);
}

/** The password in a connection string, decoded, or null. */
export function passwordIn(uri: string): string | null {
  const password = /^[a-z][a-z0-9+.-]*:\/\/[^/?#@:]*:([^/?#]*)@/i.exec(uri)?.[1];
  if (password === undefined || password === '') return null;
  try {
    return decodeURIComponent(password);
  } catch {
    return password;
  }
}
