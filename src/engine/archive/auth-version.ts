// `admin/system.version.bson`: mongorestore takes users and roles only beside the version of their form.
import { BSON } from 'mongodb';

/** 5: SCRAM, the only form that MongoDB 5.0 and newer has. */
const AUTH_SCHEMA = 5;

export function systemVersion(featureCompatibilityVersion: string): Buffer {
  return Buffer.concat([
    BSON.serialize({ _id: 'featureCompatibilityVersion', version: featureCompatibilityVersion }),
    BSON.serialize({ _id: 'authSchema', currentVersion: AUTH_SCHEMA }),
  ]);
}

export const SYSTEM_VERSION_METADATA = Buffer.from('{"indexes":[{"v":{"$numberInt":"2"},"key":{"_id":{"$numberInt":"1"}},"name":"_id_"}],"collectionName":"system.version","type":"collection"}');
