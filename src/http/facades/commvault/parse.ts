// Commvault's requests to ours: enumerations that come as numbers or words, passwords in base64, paging in headers.
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { JobKind } from '../../../domain/records.ts';
import { LeafvaultError } from '../../../foundation/errors.ts';
import { readBody } from '../../wire/read-body.ts';
import { parameterInAnyCase } from '../../wire/read-query.ts';
import { unsupported } from './errors.ts';
import { readLevel, word, type BackupLevel } from './levels.ts';
import { parseRestore, type RestoreForm } from './restore-forms.ts';
import { parsePattern, type Times } from './schedules/pattern.ts';
import { createTaskBody, jobsBody, loginBody, type Association, type SubTask } from './schemas.ts';

/** What one sub-task asks of every association. */
export type Work =
  | { readonly kind: 'backup'; readonly level: BackupLevel }
  | { readonly kind: 'restore'; readonly form: RestoreForm };

export interface Task {
  readonly associations: readonly Association[];
  readonly work: readonly Work[];
  /** Null: at once. */
  readonly schedules: readonly Times[] | null;
}

const IMMEDIATE = ['0', '1', 'immediate'];
const SCHEDULED = ['2', 'scheduled', 'schedule'];
const BACKUP_OPERATIONS = ['2', 'backup'];
const RESTORE_OPERATIONS = ['3', 'restore', '1001', '1005'];

/** @throws TASK_UNSUPPORTED beside the faults of the body */
export function parseCreateTask(body: unknown): Task {
  const { taskInfo } = readBody(createTaskBody, body);
  const type = word(taskInfo.task?.taskType);
  const work = taskInfo.subTasks.map(workOf);
  if (IMMEDIATE.includes(type)) return { associations: taskInfo.associations, work, schedules: null };
  if (!SCHEDULED.includes(type)) throw unsupported(`A task of type ${type}`);
  if (work.some(({ kind }) => kind !== 'backup')) throw unsupported('A restore by schedule');
  const schedules = taskInfo.subTasks.map(({ pattern }) => {
    if (pattern === undefined) throw new LeafvaultError('ATTRIBUTE_MISSING', 'Reading the body failed: a schedule needs a pattern', { details: { name: 'taskInfo.subTasks.pattern' } });
    return parsePattern(pattern);
  });
  return { associations: taskInfo.associations, work, schedules };
}

/** The page's literal body has 0 everywhere: then the options that are there decide. */
function workOf(given: SubTask): Work {
  const told = [word(given.subTask?.subTaskType), word(given.subTask?.operationType)].filter((each) => each !== '0');
  const { backupOpts, restoreOptions } = given.options ?? {};
  const isBackup = told.length === 0 ? backupOpts !== undefined : told.every((each) => BACKUP_OPERATIONS.includes(each));
  const isRestore = told.length === 0 ? restoreOptions !== undefined : told.every((each) => RESTORE_OPERATIONS.includes(each));
  if (isBackup === isRestore) throw unsupported(told.length === 0 ? 'A sub-task without exactly one of backupOpts and restoreOptions' : `A sub-task of type ${told.join(' with operation ')}`);
  return isBackup ? { kind: 'backup', level: readLevel(backupOpts?.backupLevel) } : { kind: 'restore', form: parseRestore(restoreOptions) };
}

/** The password comes in base64; what is no base64 of plain text is taken as it is. */
export function parseLogin(body: unknown): { readonly name: string; readonly password: string } {
  const { username, password }: z.infer<typeof loginBody> = readBody(loginBody, body);
  return { name: username, password: decoded(password) };
}

function decoded(text: string): string {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return text;
  try {
    const plain = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(text, 'base64'));
    return /[\u0000-\u001f\u007f]/.test(plain) ? text : plain;
  } catch {
    // Not UTF-8, so it was no encoded password.
    return text;
  }
}

/** @throws JOB_NOT_FOUND for what cannot be the number of a job */
export function parseJobNumber(text: string | undefined): number {
  if (text !== undefined && /^[1-9]\d{0,9}$/.test(text)) return Number(text);
  throw new LeafvaultError('JOB_NOT_FOUND', `Reading job ${text ?? ''} failed: jobs have numbers`, { details: { number: text ?? '' } });
}

export interface JobListRequest {
  readonly clientIds: readonly number[];
  readonly instanceId: number | null;
  readonly backupsetId: number | null;
  readonly subclientId: number | null;
  readonly kinds: readonly JobKind[] | undefined;
  readonly active: boolean | undefined;
  /** Finished jobs that ended longer ago are left out. null: all. */
  readonly finishedWithinSeconds: number | null;
  readonly offset: number;
  readonly limit: number;
}

const KINDS: Readonly<Record<string, readonly JobKind[]>> = {
  backup: ['snapshot'],
  restore: ['restore', 'undo', 'prepareDownload'],
  'data aging': ['dropKept'],
  'data verification': ['verify', 'drill'],
};
/** What the vendor calls administrative is our own upkeep. */
const ADMIN_KINDS: readonly JobKind[] = ['dropKept', 'verify', 'drill'];
const DEFAULT_LIMIT = 20;
const MOST_LIMIT = 1000;

/** `GET Job`: filters in the query, `limit` and `offset` in the query or, as the docs say, in headers. */
export function parseJobList(request: Pick<FastifyRequest, 'query' | 'headers'>): JobListRequest {
  const told = (name: string): string | undefined => parameterInAnyCase(request.query, name) ?? headerText(request.headers[name.toLowerCase()]);
  const clientId = told('clientId');
  const lookup = told('completedJobLookupTime');
  return {
    clientIds: clientId === undefined ? [] : [wholeNumber('clientId', clientId, Number.MAX_SAFE_INTEGER)],
    instanceId: null,
    backupsetId: null,
    subclientId: null,
    kinds: kindsOf(told('jobFilter')?.split(',') ?? []),
    active: activeOf(told('jobCategory') ?? 'all'),
    finishedWithinSeconds: lookup === undefined ? null : wholeNumber('completedJobLookupTime', lookup, 4_000_000_000),
    offset: wholeNumber('offset', told('offset') ?? '0', 1_000_000_000),
    limit: Math.max(1, wholeNumber('limit', told('limit') ?? String(DEFAULT_LIMIT), MOST_LIMIT)),
  };
}

/** `POST Jobs`: the same in a body. A limit beyond ours is ours. @throws ENUM_UNKNOWN for types of jobs by numbers, which are not known */
export function parseJobsQuery(body: unknown): JobListRequest {
  const { category = 0, pagingConfig, jobFilter = {} } = readBody(jobsBody, body);
  const { clientList = [], jobTypeList = [], entity, completedJobLookupTime, hideAdminJobs = false } = jobFilter;
  const unknown = jobTypeList.find((each) => typeof each === 'number');
  if (unknown !== undefined) throw new LeafvaultError('ENUM_UNKNOWN', `Reading the body failed: the type of job ${unknown} is not known`, { details: { name: `jobTypeList [${unknown}]` } });
  const kinds = kindsOf(jobTypeList.map(String));
  return {
    clientIds: [...clientList.map(({ clientId }) => clientId ?? 0), entity?.clientId ?? 0].filter((number) => number > 0),
    instanceId: entity?.instanceId || null,
    backupsetId: entity?.backupsetId || null,
    subclientId: entity?.subclientId || null,
    kinds: hideAdminJobs ? (kinds ?? Object.values(KINDS).flat()).filter((each) => !ADMIN_KINDS.includes(each)) : kinds,
    active: category === 0 ? undefined : category === 1,
    finishedWithinSeconds: completedJobLookupTime ?? null,
    offset: pagingConfig?.offset ?? 0,
    limit: Math.min(MOST_LIMIT, pagingConfig?.limit || DEFAULT_LIMIT),
  };
}

/** Of types that the vendor has and nothing here is, there are no jobs. */
function kindsOf(names: readonly string[]): readonly JobKind[] | undefined {
  return names.length === 0 ? undefined : names.flatMap((each) => KINDS[each.trim().toLowerCase()] ?? []);
}

function activeOf(category: string): boolean | undefined {
  const known = category.toLowerCase();
  if (known === 'all') return undefined;
  if (known === 'active' || known === 'finished') return known === 'active';
  throw new LeafvaultError('QUERY_INVALID', 'Reading the query failed: jobCategory must be Active, Finished or All', { details: { name: 'jobCategory' } });
}

function wholeNumber(name: string, text: string, most: number): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : -1;
  if (value >= 0 && value <= most) return value;
  throw new LeafvaultError('QUERY_INVALID', `Reading the query failed: ${name} must be a whole number up to ${most}`, { details: { name } });
}

function headerText(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.[0];
}
