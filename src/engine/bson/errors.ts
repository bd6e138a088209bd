// Codes of the BSON room.

export const BSON_ERRORS = {
  BSON_MALFORMED: 'Bytes that are not a BSON document, or an element that passes the end of its document',
} as const;
