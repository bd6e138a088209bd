// Raw BSON as canonical extended JSON 2, without decoding it into objects on the way: those would reorder fields whose names look like
// numbers, drop doubled ones, and turn one kind of number into another.
import { BSON } from 'mongodb';
import { asBuffer, BSON_TYPE, rawFields, type RawField } from '../bson/index.ts';

const CODE = 0x0d;
const SYMBOL = 0x0e;
const CODE_WITH_SCOPE = 0x0f;
const DB_POINTER = 0x0c;
const OLD_BINARY = 2;

/** One document or subdocument. @throws BSON_MALFORMED */
export function documentJson(document: Uint8Array): string {
  const bytes = asBuffer(document);
  let text = '{';
  for (const field of rawFields(bytes)) text += `${text === '{' ? '' : ','}${JSON.stringify(field.name)}:${valueJson(bytes, field)}`;
  return `${text}}`;
}

function arrayJson(bytes: Buffer): string {
  let text = '[';
  for (const field of rawFields(bytes)) text += `${text === '[' ? '' : ','}${valueJson(bytes, field)}`;
  return `${text}]`;
}

function valueJson(bytes: Buffer, field: RawField): string {
  const { type, valueAt, end } = field;
  switch (type) {
    case BSON_TYPE.double: return `{"$numberDouble":"${doubleText(bytes.readDoubleLE(valueAt))}"}`;
    case BSON_TYPE.string: return JSON.stringify(textAt(bytes, valueAt));
    case BSON_TYPE.document: return documentJson(bytes.subarray(valueAt, end));
    case BSON_TYPE.array: return arrayJson(bytes.subarray(valueAt, end));
    case BSON_TYPE.binary: return binaryJson(bytes.subarray(valueAt, end));
    case BSON_TYPE.undefined: return '{"$undefined":true}';
    case BSON_TYPE.objectId: return `{"$oid":"${bytes.toString('hex', valueAt, end)}"}`;
    case BSON_TYPE.bool: return bytes[valueAt] === 0 ? 'false' : 'true';
    case BSON_TYPE.date: return `{"$date":{"$numberLong":"${bytes.readBigInt64LE(valueAt)}"}}`;
    case BSON_TYPE.null: return 'null';
    case BSON_TYPE.regex: return regexJson(bytes, valueAt, end);
    case BSON_TYPE.int: return `{"$numberInt":"${bytes.readInt32LE(valueAt)}"}`;
    case BSON_TYPE.timestamp: return `{"$timestamp":{"t":${bytes.readUInt32LE(valueAt + 4)},"i":${bytes.readUInt32LE(valueAt)}}}`;
    case BSON_TYPE.long: return `{"$numberLong":"${bytes.readBigInt64LE(valueAt)}"}`;
    case BSON_TYPE.decimal: return `{"$numberDecimal":"${new BSON.Decimal128(bytes.subarray(valueAt, end)).toString()}"}`;
    case BSON_TYPE.minKey: return '{"$minKey":1}';
    case BSON_TYPE.maxKey: return '{"$maxKey":1}';
    case CODE: return `{"$code":${JSON.stringify(textAt(bytes, valueAt))}}`;
    case SYMBOL: return `{"$symbol":${JSON.stringify(textAt(bytes, valueAt))}}`;
    case CODE_WITH_SCOPE: return codeWithScopeJson(bytes, valueAt, end);
    case DB_POINTER: return `{"$dbPointer":{"$ref":${JSON.stringify(textAt(bytes, valueAt))},"$id":{"$oid":"${bytes.toString('hex', end - 12, end)}"}}}`;
    // `rawFields` let nothing else through.
    default: throw new TypeError(`There is no BSON type ${type}`);
  }
}

/** Length word, text, NUL. */
function textAt(bytes: Buffer, at: number): string {
  return bytes.toString('utf8', at + 4, at + 3 + bytes.readInt32LE(at));
}

function doubleText(value: number): string {
  if (Object.is(value, -0)) return '-0.0';
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}

function binaryJson(value: Buffer): string {
  const subType = value[4] ?? 0;
  // The old form has its length a second time.
  const data = value.subarray(subType === OLD_BINARY && value.length >= 9 ? 9 : 5);
  return `{"$binary":{"base64":"${data.toString('base64')}","subType":"${subType.toString(16).padStart(2, '0')}"}}`;
}

function regexJson(bytes: Buffer, at: number, end: number): string {
  const patternEnd = bytes.indexOf(0, at);
  return `{"$regularExpression":{"pattern":${JSON.stringify(bytes.toString('utf8', at, patternEnd))},"options":${JSON.stringify(bytes.toString('utf8', patternEnd + 1, end - 1))}}}`;
}

function codeWithScopeJson(bytes: Buffer, at: number, end: number): string {
  const scopeAt = at + 8 + bytes.readInt32LE(at + 4);
  return `{"$code":${JSON.stringify(textAt(bytes, at + 4))},"$scope":${documentJson(bytes.subarray(scopeAt, end))}}`;
}
