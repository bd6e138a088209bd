// What stands in the catalog of damaged objects that were fetched again from a second copy.

/** Value of the setting `mended <repository id>`. */
export interface MendedState {
  /** Since the repository was made. */
  readonly objects: number;
  /** ISO 8601. */
  readonly lastAt: string;
  /** The newest ones, newest first. */
  readonly names: readonly string[];
}

export const mendedKey = (repositoryId: string): string => `mended ${repositoryId}`;

/** So many names are kept. */
const MOST_NAMED = 20;

export function withMended(state: MendedState | null, names: readonly string[], at: Date): MendedState {
  return { objects: (state?.objects ?? 0) + names.length, lastAt: at.toISOString(), names: [...names, ...(state?.names ?? [])].slice(0, MOST_NAMED) };
}
