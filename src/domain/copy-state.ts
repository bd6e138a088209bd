// How far the second copies of the repository are: one value of the catalog's settings, for workers and metrics.

export interface CopyState {
  readonly address: string;
  /** Its place in `repository.copies`, from 1 up. */
  readonly number: number;
  /** ISO 8601. */
  readonly startedAt: string;
  /** When a run last ended with everything copied; null: never. */
  readonly succeededAt: string | null;
  readonly problems: number;
}

export const COPY_STATES = 'copyStates';

/** Of what stands in the catalog: nothing yet, or a list. */
export function readCopyStates(value: unknown): readonly CopyState[] {
  return Array.isArray(value) ? (value as CopyState[]) : [];
}
