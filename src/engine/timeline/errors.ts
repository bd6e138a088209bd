// Codes of the time line.

export const TIMELINE_ERRORS = {
  FILTER_ID_MALFORMED: 'The _id that is looked for is no Extended JSON. details: {value}',
} as const;
