// Downloads: what state one is in, and the archive behind its address. Expiry and count are looked at when a
// transfer starts and counted when it is complete.
import type { KeyObject } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { CatalogAggregates, ListedRestoreRecord, RestoreRecord } from '../catalog/index.ts';
import type { Download, DownloadState, ListedRestore, Restore, RestoreSelection } from '../domain/records.ts';
import type { Clock } from '../foundation/clock.ts';
import { LeafvaultError } from '../foundation/errors.ts';
import type { Downloads } from './contracts.ts';
import { downloadPaths, isDownloadSecret } from './download-address.ts';
import { snapshotNotFound } from './snapshots.ts';

/** Streams a snapshot as a `.tar.gz`; ends with an error rather than short. Handed in: the engine is behind it. */
export type OpenArchive = (request: { readonly snapshotId: string; readonly selection: RestoreSelection; readonly signal: AbortSignal }) => Readable;

export interface DownloadsOptions {
  readonly catalog: Pick<CatalogAggregates, 'restores' | 'snapshots'>;
  readonly clock: Clock;
  readonly key: KeyObject;
  readonly openArchive: OpenArchive;
}

export function createDownloads({ catalog, clock, key, openArchive }: DownloadsOptions): Downloads {
  return {
    async resolve({ restoreId, secret }) {
      const restore = isDownloadSecret(key, restoreId, secret) ? await catalog.restores.get(restoreId) : null;
      if (restore?.download == null) throw new LeafvaultError('DOWNLOAD_NOT_FOUND', 'Opening a download failed: its address is not one of ours');
      const { id, snapshotId, clusterId, selection, download: { fileName } } = restore;
      refuseUnlessReady(restore, clock.now());
      const snapshot = await catalog.snapshots.get(snapshotId);
      if (snapshot === null || snapshot.deletedAt !== null) throw snapshotNotFound(clusterId, snapshotId);
      return {
        fileName,
        open: (signal) => openArchive({ snapshotId, selection, signal }),
        completed: (sha1) => catalog.restores.countDownload(id, sha1),
      };
    },
  };
}

export interface ShownBy { readonly now: Date; readonly key: KeyObject; readonly baseUrl: () => string }

/** The record as the doors see it. @param by its `baseUrl` is the origin without a slash at the end */
export function presentRestore(record: RestoreRecord, by: ShownBy): Restore {
  const { indexStrategy: _indexStrategy, usersAndRoles: _usersAndRoles, ...restore } = record;
  return { ...restore, download: presentDownload(record, by) };
}

/** The same as lists tell it. */
export function presentListedRestore(record: ListedRestoreRecord, by: ShownBy): ListedRestore {
  return { ...record, download: presentDownload(record, by) };
}

function presentDownload(record: ListedRestoreRecord, { now, key, baseUrl }: ShownBy): Download | null {
  const { download } = record;
  if (download === null) return null;
  const state = stateOf(record, download, now);
  const { readyAt: _, ...facts } = download;
  if (state !== 'ready') return { ...facts, state, url: null };
  const { path, bearer } = downloadPaths(key, record.id, download.fileName);
  return { ...facts, state, url: baseUrl() + path, bearer: { url: baseUrl() + bearer.path, value: bearer.value } };
}

function stateOf(record: Pick<RestoreRecord, 'state'>, download: NonNullable<RestoreRecord['download']>, now: Date): DownloadState {
  if (record.state === 'failed' || record.state === 'cancelled') return record.state;
  if (download.maxDownloads !== null && download.downloads >= download.maxDownloads) return 'exhausted';
  if (download.readyAt === null) return 'preparing';
  return download.expiresAt !== null && now >= download.expiresAt ? 'expired' : 'ready';
}

/** @throws DOWNLOAD_EXPIRED, DOWNLOAD_EXHAUSTED, DOWNLOAD_NOT_FOUND (not ready, failed or cancelled: there never was an address) */
function refuseUnlessReady(record: RestoreRecord, now: Date): void {
  const { download } = record;
  if (download === null) return;
  switch (stateOf(record, download, now)) {
    case 'ready': return;
    case 'expired':
      throw new LeafvaultError('DOWNLOAD_EXPIRED', `Opening the download of restore ${record.id} failed: its time is over`, {
        details: { expiresAt: download.expiresAt?.toISOString() }, hint: 'Ask for a new download',
      });
    case 'exhausted':
      throw new LeafvaultError('DOWNLOAD_EXHAUSTED', `Opening the download of restore ${record.id} failed: it was fetched as often as allowed`, {
        details: { maxDownloads: download.maxDownloads }, hint: 'Ask for a new download',
      });
    case 'preparing': case 'failed': case 'cancelled':
      throw new LeafvaultError('DOWNLOAD_NOT_FOUND', `Opening the download of restore ${record.id} failed: it is not ready`);
  }
}
