// The door of the BSON room: framing, hashing and raw access; user documents are never decoded here.
export { BSON_ERRORS } from './errors.ts';
export { CHUNK_SIZES, chooseCutMask, cutRule, type CutRule } from './cut-rule.ts';
export {
  addToHashState, bytesOf, chunkBytesOf, chunkDocumentsOf, copyHashState, documentsOf, hashOf, newHashState, orderedHashOf, subtractFromHashState, type HashState,
} from './hash-state.ts';
export { createKernel, RECORD_BYTES, type FrameOptions, type Kernel, type Slice } from './kernel.ts';
export {
  asBuffer, BSON_TYPE, documentLength, rawChild, rawField, rawFields, rawId, rawIdAt, rawIdOf, rawText, readString, type RawField,
} from './raw-fields.ts';
export { filterFields, rawArray, rawDocument, rawIdField, type RawValue } from './raw-document.ts';
