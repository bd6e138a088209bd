// The door of archives.
export { fileNameOf } from './file-names.ts';
export { metadataOf } from './metadata.ts';
export { streamArchive, TOP_FOLDER } from './stream-archive.ts';
