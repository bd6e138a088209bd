// The contract of Atlas v2: every operation of the reference that is served, asked of a running server with a real mongod behind it. Each answer
// is held against the reference's schema and against our own document, each error against the schema of errors.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ATLAS_V1_5_OPERATIONS, ATLAS_V1_OPERATIONS, V1_5_FORM, V1_FORM } from '../../../src/http/facades/atlas-v1/routes.ts';
import { ATLAS_V2_OPERATIONS } from '../../../src/http/facades/atlas-v2/routes.ts';
import { RESOURCES } from '../../../src/http/openapi/document.ts';
import { eventTypeOf } from '../../../src/http/wire/atlas/events/event-types.ts';
import { forVersion, type Description, type Handler } from '../../../src/http/wire/describe.ts';
import { DIFFERENCES, differencesOf, placesOf, STATUSES_BEYOND } from '../../support/atlas-differences.ts';
import { ATLAS_PARAMS, startAtlasInstallation, type AtlasAnswer, type AtlasInstallation } from '../../support/atlas-installation.ts';
import { checkError, faultsOf } from '../../support/check-schema.ts';
import { plainPath, REFERENCE_OPERATIONS, schemaNamed, type ReferenceOperation } from '../../support/reference.ts';
import { DRIVES, NOT_DRIVEN, type Drive, type World } from './drives.ts';
import { realClients } from './real-clients.ts';

const V2 = '/api/atlas/v2';
const keyOf = ({ method, path }: { readonly method: string; readonly path: string }): string => `${method} ${plainPath(path)}`;
const v2 = new Map(ATLAS_V2_OPERATIONS.map((row) => [keyOf(row), row]));
/** Without versions: each answers in the form of one date. */
const PLAIN = [
  { door: 'v1.0', prefix: '/api/atlas/v1.0', form: V1_FORM, keys: new Set(ATLAS_V1_OPERATIONS.map(keyOf)) },
  { door: 'v1.5', prefix: '/api/atlas/v1.5', form: V1_5_FORM, keys: new Set(ATLAS_V1_5_OPERATIONS.map(keyOf)) },
] as const;
const described = new Map<Handler, Description>(RESOURCES.flatMap(({ operations }) => operations.map(([handler, description]) => [handler, description] as const)));
const references = new Map(REFERENCE_OPERATIONS.map((each) => [each.id, each]));
const driven = [...new Set(DRIVES.map(({ id }) => id))].map(referenceOf);
/** What events call them. */
const EVENT_DOORS = { 'v2': 'atlas-v2', 'v1.0': 'atlas-v1', 'v1.5': 'atlas-v1.5' } as const;
/** Places at which an answer differed from its schema, by operation. */
const differed = new Map<string, Set<string>>();

function referenceOf(id: string): ReferenceOperation {
  const found = references.get(id);
  if (found === undefined) throw new Error(`The reference has no operation ${id}`);
  return found;
}

describe('the contract of Atlas', { timeout: 900_000 }, () => {
  let installation: AtlasInstallation;
  const world: World = { params: { ...ATLAS_PARAMS }, settled: async (path, isOver, version) => (await installation.settled(path.startsWith('/api/') ? path : `${V2}${path}`, isOver, version)).json };

  before(async () => {
    installation = await startAtlasInstallation();
    world.params['connectionString'] = installation.source.uri;
  });
  after(() => installation?.[Symbol.asyncDispose]());

  const pathOf = (reference: ReferenceOperation, params: Readonly<Record<string, string>> = {}): string =>
    (reference.path === '/' ? '' : reference.path).replaceAll(/\{([a-zA-Z]+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? world.params[name] ?? '0'.repeat(24)));

  for (const [index, drive] of DRIVES.entries()) {
    test(`${index + 1}. ${drive.id} answers as its schema says${drive.door === undefined ? '' : `, by ${drive.door}`}`, async () => {
      const reference = referenceOf(drive.id);
      const versions = Object.keys(reference.versions).sort();
      const asked = drive.door !== undefined ? [] : drive.versions ?? (reference.method === 'GET' || drive.everyVersion === true ? versions : versions.slice(-1));
      const path = `${pathOf(reference, drive.params?.(world))}${drive.query === undefined ? '' : `?${drive.query}`}`;
      for (const version of asked) {
        const answer = await installation.ask(reference.method, `${V2}${path}`, { version, body: drive.body?.(world, version) });
        holdAgainst(drive, reference, version, answer);
        keep(drive, answer);
      }
      for (const plain of PLAIN.filter(({ door, keys }) => drive.door === door || (drive.door === undefined && reference.method === 'GET' && keys.has(keyOf(reference))))) {
        const answer = await installation.ask(reference.method, `${plain.prefix}${path}`, { version: null, body: drive.body?.(world, plain.form) });
        holdPlainAgainst(drive, reference, plain, answer);
        if (drive.door !== undefined) keep(drive, answer);
      }
      await drive.then?.(world);
    });
  }

  test('leaves out no operation that is served', () => {
    const ids = new Set([...DRIVES.map(({ id }) => id), ...NOT_DRIVEN]);
    const served = REFERENCE_OPERATIONS.filter((each) => v2.has(keyOf(each)));
    assert.deepEqual(served.filter(({ id }) => !ids.has(id)).map(({ id }) => id), []);
    assert.deepEqual(driven.filter((each) => !v2.has(keyOf(each))).map(({ id }) => id), [], 'and asks none that is not');
  });

  for (const { door, prefix, keys } of PLAIN) {
    test(`leaves out no change below ${prefix}`, () => {
      const asked = new Set(DRIVES.filter((drive) => drive.door === door).map(({ id }) => keyOf(referenceOf(id))));
      assert.deepEqual([...keys].filter((key) => !key.startsWith('GET ') && !asked.has(key)), []);
      assert.deepEqual([...asked].filter((key) => !keys.has(key)), [], 'and asks for none that is not there');
    });
  }

  test('tells an event for each change that was driven', async () => {
    const told: Record<string, number> = {};
    // An organization tells what was done in its groups, too.
    for (let pageNum = 1, left = true; left; pageNum += 1) {
      const { json } = await installation.ask('GET', `${V2}/orgs/${world.params['orgId']}/events?itemsPerPage=500&pageNum=${pageNum}`, { version: '2023-01-01' });
      const events = json['results'] as readonly { readonly eventTypeName: string }[];
      for (const { eventTypeName } of events) told[eventTypeName] = (told[eventTypeName] ?? 0) + 1;
      left = events.length === 500;
    }
    const changes: Record<string, number> = {};
    for (const { id, door, everyVersion, versions: only, refused } of DRIVES) {
      const { method, path, versions } = referenceOf(id);
      if (method === 'GET' || refused !== undefined) continue;
      const type = eventTypeOf(`${EVENT_DOORS[door ?? 'v2']} ${method} ${v2.get(keyOf({ method, path }))?.path ?? ''}`);
      changes[type] = (changes[type] ?? 0) + (door !== undefined ? 1 : only?.length ?? (everyVersion === true ? Object.keys(versions).length : 1));
    }
    assert.deepEqual(Object.entries(changes).filter(([type, count]) => (told[type] ?? 0) < count), []);
  });

  for (const reference of driven) {
    test(`${reference.id} refuses in the form of errors`, async () => {
      const path = `${V2}${pathOf(reference)}`;
      const version = Object.keys(reference.versions).sort().at(-1) ?? '';
      const refused = async (status: number, errorCode: string, at: string, call: Parameters<AtlasInstallation['ask']>[2]): Promise<void> => {
        const answer = await installation.ask(reference.method, at, { version, ...call });
        assert.deepEqual([answer.status, answer.json['errorCode']], [status, errorCode], `${at} ${answer.text}`);
        assertError(reference, answer);
      };
      await refused(401, 'UNEXPECTED_ERROR', path, { known: false });
      await refused(406, 'NOT_ACCEPTABLE', path, { version: null });
      if (reference.path.includes('{groupId}')) {
        await refused(404, 'INVALID_GROUP_ID', path.replace(world.params['groupId'] ?? '', 'x'), {});
        await refused(404, 'GROUP_NOT_FOUND', path.replace(world.params['groupId'] ?? '', 'f'.repeat(24)), {});
      }
      if (/\/(clusters|serverless|flexClusters)\/\{/.test(reference.path)) await refused(404, 'CLUSTER_NOT_FOUND', `${V2}${pathOf(reference, { clusterName: 'nowhere', name: 'nowhere' })}`, {});
      const { body } = reference.versions[version] ?? {};
      if (body === undefined) return;
      const unknown = { nobodyKnowsThis: 1 };
      const [misnamed, misshapen] = body.type === 'array' ? [[unknown], unknown] : [unknown, []];
      await refused(400, 'MALFORMED_JSON', path, { text: '{"a":' });
      await refused(400, 'INVALID_ATTRIBUTE', path, { body: misnamed });
      await refused(400, 'INVALID_JSON', path, { body: misshapen });
    });
  }

  test('needs each exception that is listed', () => {
    const isNeeded = (operation: RegExp, member: string): boolean =>
      [...differed].some(([id, places]) => operation.test(id) && placesOf(member).some((at) => [...places].some((place) => place === at || place.startsWith(`${at}.`) || place.startsWith(`${at}[`))));
    assert.deepEqual(DIFFERENCES.flatMap(({ operation, at }) => at.filter((member) => !isNeeded(operation, member)).map((member) => `${operation} ${member}`)), []);
  });

  test('has each exception from a page', async () => {
    const choices = await readFile(join(import.meta.dirname, '../../../docs/reference/atlas.md'), 'utf8');
    for (const { source, why } of DIFFERENCES.filter((each) => each.source.startsWith('docs/'))) assert.match(choices, new RegExp(`^${source.split(', ')[1]}\\. `, 'm'), why);
  });

  realClients(() => installation, () => world.params['snapshotId'] ?? '');

  function keep({ keep: kept = {} }: Drive, { json }: AtlasAnswer): void {
    for (const [name, member] of Object.entries(kept)) {
      const thing = member.startsWith('results.') ? (json['results'] as readonly Record<string, unknown>[])[0] : json;
      world.params[name] = String(thing?.[member.replace('results.', '')]);
    }
  }
});

function holdAgainst({ refused }: Drive, reference: ReferenceOperation, version: string, answer: AtlasAnswer): void {
  const { sunset } = reference.versions[version] ?? {};
  assert.equal(answer.headers.has('sunset'), sunset !== undefined, 'Sunset');
  if (refused !== undefined) {
    assert.deepEqual([answer.status, answer.json['errorCode']], [refused.status, refused.errorCode], answer.text);
    assertError(reference, answer);
    return;
  }
  assert.equal(answer.status, reference.status, answer.text);
  assert.equal(answer.headers.get('content-type'), `application/vnd.atlas.${version}+json;charset=utf-8`);
  for (const name of ['ratelimit-limit', 'ratelimit-remaining', 'x-mongodb-service-version', 'x-content-type-options']) assert.ok(answer.headers.has(name), name);
  if (reference.status === 202 || reference.status === 204) {
    assert.equal(answer.text, '');
    return;
  }
  assert.deepEqual(faultsBeside(reference, version, answer), []);
  assert.deepEqual(ownFaults(reference, version, answer), [], 'our own document');
}

function holdPlainAgainst({ refused }: Drive, reference: ReferenceOperation, { prefix, form }: typeof PLAIN[number], answer: AtlasAnswer): void {
  if (refused !== undefined) {
    assert.deepEqual([answer.status, answer.json['errorCode']], [refused.status, refused.errorCode], answer.text);
    assertError(reference, answer);
    return;
  }
  assert.equal(answer.status, reference.status, answer.text);
  assert.match(answer.headers.get('content-type') ?? '', /^application\/json(;|$)/);
  for (const name of ['sunset', 'deprecation']) assert.ok(!answer.headers.has(name), `${name} is of versions`);
  if (reference.status === 202 || reference.status === 204) assert.equal(answer.text, '');
  else assert.deepEqual(faultsBeside(reference, form, answer), [], `the twin below ${prefix} has the form of ${form}`);
}

/** Against the reference, but for recorded differences. */
function faultsBeside(reference: ReferenceOperation, version: string, { json }: AtlasAnswer): readonly string[] {
  const schema = reference.versions[version]?.answer ?? {};
  note(reference.id, faultsOf(schema, json, '', []));
  return faultsOf(schema, json, '', differencesOf(reference.id));
}

function note(id: string, faults: readonly string[]): void {
  const places = differed.get(id) ?? new Set();
  for (const fault of faults) places.add(fault.slice(0, fault.indexOf(':')).replaceAll(/\[\d+\]/g, '[]'));
  differed.set(id, places);
}

/** Against what our own document says of the same answer. */
function ownFaults(reference: ReferenceOperation, version: string, { json }: AtlasAnswer): readonly string[] {
  const row = v2.get(keyOf(reference));
  const description = row === undefined ? undefined : described.get(row.handle as Handler);
  if (description === undefined) return [];
  const { answer } = description;
  if (answer.kind === 'none' || answer.kind === 'refusal') return [`${reference.id} answers though it is described not to`];
  const { schema } = forVersion(answer.of, version);
  const things = answer.kind === 'one' ? [json] : answer.kind === 'bare' ? (json as unknown as readonly unknown[]) : (json['results'] as readonly unknown[]);
  return things.flatMap((thing) => {
    const outcome = schema.safeParse(thing);
    return outcome.success ? [] : outcome.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  });
}

function assertError(reference: ReferenceOperation, { status, headers, json, text }: AtlasAnswer): void {
  assert.ok([...reference.statuses, ...STATUSES_BEYOND].includes(status), `${status} is no status of ${reference.id}`);
  assert.equal(headers.get('content-type'), 'application/json');
  assert.equal(headers.get('x-error-code'), json['errorCode']);
  assert.equal(json['error'], status);
  note('ApiError', faultsOf(schemaNamed('ApiError'), json, '', []));
  assert.deepEqual(checkError(json), [], text);
}
