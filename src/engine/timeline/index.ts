// The door of the time line: what kept slices say, for people.
export { findOperations, type FindOperationsOptions } from './find-operations.ts';
export { readTimeline, type ReadTimelineOptions } from './read-timeline.ts';
