// Codes of the catalog: what can go wrong between Leafvault and its PostgreSQL.

export const CATALOG_ERRORS = {
  CATALOG_UNREACHABLE: 'PostgreSQL does not answer, or the connection broke',
  CATALOG_LOGIN_REFUSED: 'PostgreSQL refused user, password or database name',
  CATALOG_TOO_OLD: 'The PostgreSQL server is older than 14',
  CATALOG_NEWER: 'The catalog was made by a newer Leafvault',
  CATALOG_MIGRATION_CHANGED: 'A migration that was applied before has another text now',
  CATALOG_MIGRATION_FAILED: 'A migration could not be applied',
  CATALOG_DUPLICATE: 'A row with this key exists already',
  CATALOG_REFERENCE_MISSING: 'A row refers to one that does not exist',
  CATALOG_DUMP_FAILED: 'The catalog could not be dumped into the repository',
  CATALOG_DUMP_DAMAGED: 'What a dump holds is not what its version of the tables takes',
  CATALOG_NOT_EMPTY: 'A rescue would write over a catalog that holds something',
  CATALOG_LEASE_LOST: 'The job was handed to another worker; this one may write nothing more for it',
  CATALOG_TAILER_LOST: 'The cluster is followed by another worker; this one may write nothing more for it',
  CATALOG_QUERY_FAILED: 'PostgreSQL refused a query',
  CATALOG_DISK_FULL: 'No space is left where the catalog lives',
  CATALOG_KEY_OTHER: 'This master key does not open the catalog',
  CATALOG_KEY_NEEDED: 'The master key in hand has to go on opening the catalog',
  CATALOG_HOME_FOREIGN: 'The catalog folder belongs to another user of this machine',
  CATALOG_HOME_UNUSABLE: 'The catalog folder cannot be made or entered',
  CATALOG_DATA_VERSION: 'The data folder was made by another major version of PostgreSQL',
  CATALOG_BINARIES_MISSING: 'There is no embedded PostgreSQL for this platform',
  CATALOG_SERVER_FAILED: 'The embedded PostgreSQL did not start',
} as const;

export type CatalogErrorCode = keyof typeof CATALOG_ERRORS;
