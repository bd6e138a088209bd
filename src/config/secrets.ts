// Secrets that stand elsewhere: `{ env: NAME }` and `{ file: path }`.
import { isAbsolute, join } from 'node:path';

export type SecretReference = { readonly env: string } | { readonly file: string };
/** The secret, or what is wrong with the reference. */
export type SecretReader = (reference: SecretReference) => string | { readonly problem: string };

export interface SecretSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Folder that relative paths start from. */
  readonly folder: string;
  /** @throws whatever the file system throws */
  readonly readFile: (path: string) => string;
}

/** One line end at the end of a file is not part of the secret: every editor adds it. */
export function secretReader(sources: SecretSources): SecretReader {
  return (reference) => {
    if ('env' in reference) {
      const value = sources.env[reference.env];
      return value ? value : { problem: `the environment variable ${reference.env} is not set` };
    }
    const path = isAbsolute(reference.file) ? reference.file : join(sources.folder, reference.file);
    try {
      const value = sources.readFile(path).replace(/\r?\n$/, '');
      return value === '' ? { problem: `the file ${path} is empty` } : value;
    } catch (error) {
      return { problem: `the file ${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown reason'})` };
    }
  };
}

export function isSecretReference(value: unknown): value is SecretReference {
  if (typeof value !== 'object' || value === null) return false;
  const keys = Object.keys(value);
  return keys.length === 1 && (keys[0] === 'env' || keys[0] === 'file') && typeof Object.values(value)[0] === 'string';
}
