// The custom roles that Leafvault's accounts need, as `createRole` commands for the admin database.
// Tests run with authorization on and these roles only; each action names what fails without it.
import type { Document } from 'mongodb';

/** May read everything that a snapshot holds and the oplog; may write nothing. */
export const BACKUP_ROLE: Document = {
  createRole: 'leafvaultBackup',
  privileges: [
    // useUUID: a scan by UUID goes on through a rename; replSetGetStatus: which members are there, for lists of hosts
    { resource: { cluster: true }, actions: ['listDatabases', 'useUUID', 'replSetGetConfig', 'replSetGetStatus'] },
    { resource: { db: '', collection: '' }, actions: ['find', 'listCollections', 'listIndexes', 'collStats'] },
    { resource: { db: '', collection: 'system.js' }, actions: ['find', 'listIndexes', 'collStats'] },
    { resource: { db: '', collection: 'system.views' }, actions: ['find', 'listIndexes', 'collStats'] },
    // raw buckets of time series
    { resource: { db: '', system_buckets: '' }, actions: ['find', 'listIndexes', 'collStats'] },
    { resource: { db: 'local', collection: 'oplog.rs' }, actions: ['find'] },
    { resource: { db: 'admin', collection: 'system.users' }, actions: ['find', 'listIndexes', 'collStats'] },
    { resource: { db: 'admin', collection: 'system.roles' }, actions: ['find', 'listIndexes', 'collStats'] },
    // the feature compatibility version
    { resource: { db: 'admin', collection: 'system.version' }, actions: ['find'] },
  ],
  roles: [],
};

/** What a restore does to a collection that it builds, reads back and renames; a capped one is made only with `convertToCapped`. */
export const RESTORE_ACTIONS = [
  'find', 'insert', 'update', 'remove', 'createCollection', 'dropCollection', 'createIndex', 'dropIndex', 'collMod',
  'renameCollectionSameDB', 'convertToCapped', 'listCollections', 'listIndexes', 'collStats', 'bypassDocumentValidation',
] as const;

/** What merging users and roles needs (`_mergeAuthzCollections`). */
export const USER_ACTIONS = [
  'createUser', 'createRole', 'dropUser', 'dropRole', 'grantRole', 'revokeRole', 'changePassword', 'changeCustomData',
  'setAuthenticationRestriction', 'viewUser', 'viewRole',
] as const;

/** May build, prove and swap collections of every database, and merge users and roles. */
export const RESTORE_ROLE: Document = {
  createRole: 'leafvaultRestore',
  privileges: [
    // applyOps, useUUID: a rename over what an application made in the moment between two renames; replSetGetConfig: whether these still are the servers that a plan speaks of
    { resource: { cluster: true }, actions: ['listDatabases', 'getParameter', 'applyOps', 'useUUID', 'replSetGetConfig'] },
    // dbStats: free space of the target; dropDatabase: scratch databases of drills
    { resource: { db: '', collection: '' }, actions: [...RESTORE_ACTIONS, 'dbStats', 'dropDatabase', ...USER_ACTIONS] },
    { resource: { db: '', collection: 'system.js' }, actions: [...RESTORE_ACTIONS] },
    { resource: { db: '', collection: 'system.views' }, actions: ['find'] },
    // raw buckets of time series
    { resource: { db: '', system_buckets: '' }, actions: [...RESTORE_ACTIONS] },
    // the oplog's window
    { resource: { db: 'local', collection: 'oplog.rs' }, actions: ['find', 'collStats'] },
    { resource: { db: 'admin', collection: 'system.users' }, actions: ['find'] },
    { resource: { db: 'admin', collection: 'system.roles' }, actions: ['find'] },
    // the feature compatibility version
    { resource: { db: 'admin', collection: 'system.version' }, actions: ['find'] },
  ],
  roles: [],
};

/** The `createRole` commands, in the order to run them on `admin`. */
export function roleCommands(): readonly Document[] {
  return [BACKUP_ROLE, RESTORE_ROLE];
}
