// The door of archives.
export { streamArchive, TOP_FOLDER } from './stream-archive.ts';
