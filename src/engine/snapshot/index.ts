// The door of reading snapshots: settled documents, and the proof that they are what the capture saw.
export { collectionEntries, indexesOf, optionsOf, readCollectionEntry, type CollectionEntry } from './collection-entry.ts';
export { SNAPSHOT_ERRORS } from './errors.ts';
export { childOf, decodeOrdered, decodeOrderedText, encodeOrdered, sameValue, type OrderedDocument } from './ordered-document.ts';
export { readSettled, type ReadSettledOptions, type SettledBatch, type SettledDocuments } from './read-settled.ts';
export { listNamespaces, type Namespace } from './list-namespaces.ts';
export { checkSettled, contentOf, findDifference, verifyEntry, type Content, type Expected } from './verify-entry.ts';
