// What preflight judges: everything is asked, nothing is decided and nothing is changed here.
import type { Document } from 'mongodb';
import { isScratchDatabase } from '../../mongo/namespaces.ts';
import { listNames, type Listed, type Target } from '../open-target.ts';
import { shadowNamesOf, otherPlans } from '../plan-store.ts';
import type { RestorePlan } from '../plan.ts';
import { readAccount, type Account } from './privileges.ts';

export interface TargetFacts {
  readonly version: string;
  /** `6.0`; null when it could not be asked for. */
  readonly featureCompatibilityVersion: string | null;
  readonly topology: 'replicaSet' | 'standalone' | 'sharded';
  readonly writablePrimary: boolean;
  readonly account: Account;
  readonly databases: readonly string[];
  /** Live names of every database that the restore touches. */
  readonly live: ReadonlyMap<string, ReadonlyMap<string, Listed>>;
  /** Bytes that are free where the target keeps its data; null when it could not be asked for. */
  readonly freeBytes: number | null;
  readonly oplogBytes: number | null;
  /** Plans of other restores that are not over. */
  readonly openPlans: readonly RestorePlan[];
  /** Namespaces that stand in a plan of any restore: shadows and kept old collections. */
  readonly shadows: ReadonlySet<string>;
  /** What could not be asked, each in words. */
  readonly denied: readonly string[];
}

/** Databases that belong to the server: nothing of theirs is ever moved aside. */
const SERVERS_OWN: readonly string[] = ['config', 'local'];

/**
 * @param databases those that the restore writes to
 * @param everywhere also look at every other database (a whole-cluster restore)
 */
export async function gatherFacts(target: Target, restoreId: string, databases: readonly string[], everywhere: boolean): Promise<TargetFacts> {
  const denied: string[] = [];
  const ask = async <T>(what: string, question: () => Promise<T>): Promise<T | null> => {
    try {
      return await question();
    } catch (error) {
      // Each refusal is a fact of its own; only a server that is gone ends the preflight.
      if (typeof (error as { readonly code?: unknown }).code !== 'number') throw error;
      denied.push(`${what}: ${(error as Error).message}`);
      return null;
    }
  };
  const status = await target.admin({ connectionStatus: 1, showPrivileges: true });
  const fcv = await ask('asking for the feature compatibility version', () => target.admin({ getParameter: 1, featureCompatibilityVersion: 1 }));
  const names = (await ask('listing the databases', () => listDatabases(target))) ?? [];
  const live = new Map<string, Map<string, Listed>>();
  for (const db of new Set([...databases, ...(everywhere ? names.filter((name) => !SERVERS_OWN.includes(name) && !isScratchDatabase(name)) : [])])) {
    live.set(db, (await ask(`listing the collections of ${db}`, () => listNames(target, db))) ?? new Map<string, Listed>());
  }
  const plans = (await ask('reading the plans of other restores', () => otherPlans(restoreId, target))) ?? [];
  return {
    version: target.facts.version,
    featureCompatibilityVersion: versionOf(fcv),
    topology: target.facts.topology,
    writablePrimary: target.facts.writablePrimary || target.facts.topology === 'standalone',
    account: readAccount(status),
    databases: names,
    live,
    freeBytes: await ask('asking for free space', () => freeBytes(target, databases.find((db) => names.includes(db)) ?? 'admin')),
    oplogBytes: target.facts.topology === 'replicaSet' ? await ask('asking for the size of the oplog', () => oplogBytes(target)).catch(() => null) : null,
    openPlans: plans.filter(({ state }) => state !== 'finished' && state !== 'undone'),
    shadows: new Set(plans.flatMap(shadowNamesOf)),
    denied,
  };
}

async function listDatabases(target: Target): Promise<string[]> {
  const { databases } = await target.admin({ listDatabases: 1, nameOnly: true });
  return (databases as Document[]).map(({ name }) => String(name));
}

async function freeBytes(target: Target, db: string): Promise<number> {
  const stats = await target.db(db).command({ dbStats: 1 });
  return Math.max(0, Number(stats.fsTotalSize) - Number(stats.fsUsedSize));
}

async function oplogBytes(target: Target): Promise<number> {
  return Number((await target.db('local').command({ collStats: 'oplog.rs' })).maxSize);
}

function versionOf(answer: Document | null): string | null {
  const value = answer?.featureCompatibilityVersion as { readonly version?: unknown } | undefined;
  return typeof value?.version === 'string' ? value.version : null;
}
