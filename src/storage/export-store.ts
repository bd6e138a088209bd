// Places that exports are written to: no repository, so names may be odd and an object may be put again.
import { createLocalExportStore } from './local/local-export-store.ts';
import { createS3ExportStore } from './s3/s3-export-store.ts';

export interface ExportStore {
  /** For messages; holds no secret. */
  readonly address: string;
  /** Null: not known. */
  readonly region: string | null;
  /**
   * The whole object, in the place of one that is there. Resolves when it is durable. @throws STORAGE_*
   * @param key segments joined with `/`, none empty, `.` or `..`; any other characters
   */
  put(key: string, bytes: Uint8Array, options?: { readonly signal?: AbortSignal }): Promise<void>;
  has(key: string): Promise<boolean>;
  close(): Promise<void>;
}

export type ExportPlace =
  | { readonly kind: 'folder'; /** Absolute. */ readonly path: string; readonly bucket: string }
  | {
    readonly kind: 's3';
    readonly bucket: string;
    /** Null each: as the SDK's own chain says. */
    readonly endpoint: string | null;
    readonly region: string | null;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | null;
    readonly pathStyle: boolean;
  };

/** Nothing is asked of it yet. */
export function openExportStore(place: ExportPlace): ExportStore {
  return place.kind === 'folder' ? createLocalExportStore(place) : createS3ExportStore(place);
}
