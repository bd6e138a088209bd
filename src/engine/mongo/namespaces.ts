// Names of databases and collections. A collection's name may hold dots, newlines, tabs, `..` and a trailing dot,
// so names are never parsed by more than their first dot.

/** `db.collection`; the first dot ends the database. */
export function splitNamespace(namespace: string): { readonly db: string; readonly name: string } {
  const dot = namespace.indexOf('.');
  return dot < 0 ? { db: namespace, name: '' } : { db: namespace.slice(0, dot), name: namespace.slice(dot + 1) };
}

export function joinNamespace(db: string, name: string): string {
  return `${db}.${name}`;
}

const BUCKETS = 'system.buckets.';

/** The time series whose raw buckets a collection holds, or null. */
export function timeSeriesOf(name: string): string | null {
  return name.startsWith(BUCKETS) ? name.slice(BUCKETS.length) : null;
}

export function bucketsOf(timeSeries: string): string {
  return BUCKETS + timeSeries;
}

/** Where a restore keeps its plan on a target, and with it the names of its shadows. */
export const PLAN_DB = '__leafvault';
export const PLAN_COLLECTION = 'plans';

const SCRATCH_DB = /^__lvd_[0-9a-f]{12}_\d+$/;

/** The `n`th database that a rehearsal works in; `mark` is 12 random hex digits of its attempt. */
export function scratchDatabase(mark: string, n: number): string {
  return `__lvd_${mark}_${n}`;
}

/** True for a name that only rehearsals give: it is no part of any snapshot, or of a cluster at an instant. */
export function isScratchDatabase(db: string): boolean {
  return SCRATCH_DB.test(db);
}

/** A name for messages and progress: one line, nothing that moves a terminal's cursor. */
export function showNamespace(namespace: string): string {
  return namespace.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
