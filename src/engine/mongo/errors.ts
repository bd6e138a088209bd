// Codes for what can go wrong between Leafvault and a MongoDB server.

export const MONGO_ERRORS = {
  SOURCE_URI_INVALID: 'The connection string of a source cannot be read. details: {reason}',
  SOURCE_UNREACHABLE: 'No member of the source answered in time. details: {hosts}',
  SOURCE_SET_NAME_OTHER: 'The servers belong to another replica set than the connection string names. details: {hosts, asked, found}',
  SOURCE_AUTH_FAILED: 'The source refused user or password. details: {hosts, user}',
  SOURCE_TOO_OLD: 'The server is older than 5.0 and has no snapshot reads. details: {version}',
  SOURCE_SHARDED: 'The address is a mongos; sharded clusters are not captured yet. details: {hosts}',
  SOURCE_NO_MEMBER: 'No member of the replica set can be read. details: {members}',
  SOURCE_PRIVILEGE_MISSING: 'The account lacks a privilege; the role leafvaultBackup has it. details: {command, member}',
  SOURCE_READ_FAILED: 'A read on the source failed. details: {command, member, code}',
  SOURCE_DRIVER_UNSUITABLE: 'The MongoDB driver gives no raw replies. No details',
  TARGET_URI_INVALID: 'The connection string of a target cannot be read. details: {reason}',
  TARGET_UNREACHABLE: 'No member of the target answered in time. details: {hosts}',
  TARGET_SET_NAME_OTHER: 'The servers belong to another replica set than the connection string names. details: {hosts, asked, found}',
  TARGET_AUTH_FAILED: 'The target refused user or password. details: {hosts, user}',
  TARGET_TOO_OLD: 'The server is older than 5.0. details: {version}',
} as const;

export type MongoErrorCode = keyof typeof MONGO_ERRORS;
