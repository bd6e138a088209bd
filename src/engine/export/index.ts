// The door of exports.
export { exportSnapshot } from './export-snapshot.ts';
