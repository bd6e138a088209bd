// Codes that the shared wire mechanics raise, before any service was asked. Facades turn each into a status and a body.

export const WIRE_ERRORS = {
  ID_MALFORMED: 'An id in the path is not 24 hex digits. details: {kind, value}',
  QUERY_INVALID: 'A query parameter is outside its range. details: {name, value}',
  BODY_NOT_OBJECT: 'The body is no JSON object. No details',
  ATTRIBUTE_MISSING: 'A required attribute of the body is absent. details: {name}',
  ATTRIBUTE_UNKNOWN: 'The body has an attribute that the operation does not know. details: {name}',
  ATTRIBUTE_TYPE: 'An attribute of the body has the wrong JSON type. details: {name}',
  ATTRIBUTE_INVALID: 'An attribute of the body has the right type and a value that cannot be. details: {name}, of a number that is 0 or less where it may not be also {mayBeZero}',
  ENUM_UNKNOWN: 'An attribute of the body names none of the known values. details: {name, value}',
  PROJECT_NAME_NOT_FOUND: 'No visible project has that name. details: {name}',
  PROJECT_NAME_AMBIGUOUS: 'Several visible projects have that name. details: {name}',
  RATE_LIMITED: 'More requests than the limit allows. details: {limit, retryAfterSeconds}',
} as const;

export type WireErrorCode = keyof typeof WIRE_ERRORS;
