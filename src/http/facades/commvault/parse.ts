// Commvault's requests to ours: enumerations that come as numbers or words, passwords in base64, paging in headers.
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Job, JobKind } from '../../../domain/records.ts';
import { LeafvaultError } from '../../../foundation/errors.ts';
import { readBody } from '../../wire/read-body.ts';
import { parameter } from '../../wire/read-query.ts';
import { createTaskBody, loginBody, type Association, type SubTask } from './schemas.ts';

/** What one sub-task asks of every association. */
export type Work =
  | { readonly kind: 'backup' }
  | { readonly kind: 'restore'; readonly snapshotName: string; readonly targetInstance: string | null; readonly targetClient: string | null };

export interface Task {
  readonly associations: readonly Association[];
  readonly work: readonly Work[];
}

const BACKUP_LEVELS = ['full', 'incremental', 'differential', 'transaction_log', 'synthetic_full'];
const IMMEDIATE = ['0', '1', 'immediate'];
const BACKUP_OPERATIONS = ['2', 'backup'];
const RESTORE_OPERATIONS = ['3', 'restore', '1001'];

/** @throws TASK_UNSUPPORTED beside the faults of the body */
export function parseCreateTask(body: unknown): Task {
  const { taskInfo } = readBody(createTaskBody, body);
  if (!IMMEDIATE.includes(word(taskInfo.task?.taskType))) throw unsupported('A task that does not run at once');
  return { associations: taskInfo.associations, work: taskInfo.subTasks.map(workOf) };
}

/** The page's literal body has 0 everywhere: then the options that are there decide. */
function workOf(given: SubTask): Work {
  const told = [word(given.subTask?.subTaskType), word(given.subTask?.operationType)].filter((each) => each !== '0');
  const { backupOpts, restoreOptions } = given.options ?? {};
  const isBackup = told.length === 0 ? backupOpts !== undefined : told.every((each) => BACKUP_OPERATIONS.includes(each));
  const isRestore = told.length === 0 ? restoreOptions !== undefined : told.every((each) => RESTORE_OPERATIONS.includes(each));
  if (isBackup === isRestore) throw unsupported(told.length === 0 ? 'A sub-task without exactly one of backupOpts and restoreOptions' : `A sub-task of type ${told.join(' with operation ')}`);
  return isBackup ? backupOf(backupOpts) : restoreOf(restoreOptions);
}

/** Every level makes a whole snapshot; what is already stored is not stored again. */
function backupOf(options: { readonly backupLevel?: string | number | undefined } | undefined): Work {
  const level = options?.backupLevel;
  if (level !== undefined && !BACKUP_LEVELS.includes(word(level)) && !/^[0-9]$/.test(word(level))) {
    throw new LeafvaultError('ENUM_UNKNOWN', `Reading the body failed: backupLevel ${String(level)} is not known`, { details: { name: `backupLevel [${String(level)}]` } });
  }
  return { kind: 'backup' };
}

function restoreOf(options: NonNullable<SubTask['options']>['restoreOptions']): Work {
  const form = options?.cloudAppsRestoreOptions?.documentDBRestoreOptions;
  if (form === undefined) throw unsupported('A restore without documentDBRestoreOptions');
  if (!form.restoreSnapshotId) throw new LeafvaultError('ATTRIBUTE_MISSING', 'Reading the body failed: restoreSnapshotId is required', { details: { name: 'restoreSnapshotId' } });
  if ((options?.fileOption?.sourceItem ?? []).some((each) => each !== '' && each !== '/')) throw unsupported('A restore of chosen items');
  return { kind: 'restore', snapshotName: form.restoreSnapshotId, targetInstance: form.targetInstanceId || null, targetClient: options?.destination?.destClient?.clientName || null };
}

function word(value: string | number | undefined): string {
  return String(value ?? 0).toLowerCase();
}

function unsupported(what: string): LeafvaultError {
  return new LeafvaultError('TASK_UNSUPPORTED', `Running a task failed: ${what} is not supported`, { details: { what } });
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
  readonly kinds: readonly JobKind[] | undefined;
  readonly active: boolean | undefined;
  /** Finished jobs that ended longer ago are left out. null: all. */
  readonly finishedWithinSeconds: number | null;
  readonly offset: number;
  readonly limit: number;
}

const KINDS: Readonly<Record<string, readonly JobKind[]>> = { backup: ['snapshot'], restore: ['restore', 'undo', 'prepareDownload'] };
const DEFAULT_LIMIT = 20;
const MOST_LIMIT = 1000;

/** `GET Job`: filters in the query, `limit` and `offset` in the query or, as the docs say, in headers. */
export function parseJobList(request: Pick<FastifyRequest, 'query' | 'headers'>): JobListRequest {
  const told = (name: string): string | undefined => parameter(request.query, name) ?? headerText(request.headers[name]);
  const clientId = told('clientId');
  const lookup = told('completedJobLookupTime');
  return {
    clientIds: clientId === undefined ? [] : [wholeNumber('clientId', clientId, Number.MAX_SAFE_INTEGER)],
    kinds: kindsOf(told('jobFilter')?.split(',') ?? []),
    active: activeOf(told('jobCategory') ?? 'all'),
    finishedWithinSeconds: lookup === undefined ? null : wholeNumber('completedJobLookupTime', lookup, 4_000_000_000),
    offset: wholeNumber('offset', told('offset') ?? '0', 1_000_000_000),
    limit: Math.max(1, wholeNumber('limit', told('limit') ?? String(DEFAULT_LIMIT), MOST_LIMIT)),
  };
}

function kindsOf(names: readonly string[]): readonly JobKind[] | undefined {
  const known = names.flatMap((each) => KINDS[each.trim().toLowerCase()] ?? []);
  return known.length === 0 ? undefined : known;
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

/** True for a job that a list without a lookup time, or within it, shows. */
export function isWithin(job: Job, seconds: number | null, now: Date): boolean {
  return seconds === null || job.finishedAt === null || now.getTime() - job.finishedAt.getTime() <= seconds * 1000;
}
