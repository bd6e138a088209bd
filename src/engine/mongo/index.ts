// The door of the MongoDB room: connecting, choosing a member, raw reads and writes, names, roles.
export { asConnectError, connect, connectToMember, type ConnectOptions, type Side } from './connect.ts';
export { directUri, hostsOfUri, isDirectUri, userOfUri } from './connection-string.ts';
export { laterOf, toClusterTime, toTimestamp } from './cluster-times.ts';
export { MONGO_ERRORS, type MongoErrorCode } from './errors.ts';
export { bucketsOf, joinNamespace, PLAN_COLLECTION, isScratchDatabase, PLAN_DB, showNamespace, splitNamespace, timeSeriesOf } from './namespaces.ts';
export { createRawReader, documentsOfBatch, readAll, type RawReader, type RawReply, type ReadOptions } from './raw-read.ts';
export { BACKUP_ROLE, roleCommands } from './roles.ts';
export { checkServerVersion, chooseMember, readServerFacts, type Candidate, type ServerFacts } from './topology.ts';
