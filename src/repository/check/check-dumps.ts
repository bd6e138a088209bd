// Every dump: its manifest, that its parts are there, and (of the newest always) that they open and add up.
import { throwIfAborted } from '../../foundation/abort.ts';
import { isLeafvaultError } from '../../foundation/errors.ts';
import type { RepositoryContext } from '../context.ts';
import { byAge, readDumpManifest, readDumpParts } from '../dumps/create-dumps.ts';
import type { Dump } from '../dumps/dumps.ts';
import { CATALOG, dumpManifestName, dumpPartName, partsOfDumpName } from '../format/names.ts';
import type { Problems } from './problems.ts';

export interface DumpCheck {
  readonly signal: AbortSignal | undefined;
  readonly readsDump: (id: string, isNewest: boolean) => boolean;
  readonly onRead: (storedBytes: number) => void;
}

export async function checkDumps(context: Pick<RepositoryContext, 'storage' | 'keys'>, problems: Problems, check: DumpCheck): Promise<void> {
  const attempt = async (name: string, read: () => Promise<void>): Promise<void> => {
    try {
      await read();
    } catch (error) {
      if (!isLeafvaultError(error) || !error.code.startsWith('REPOSITORY_')) throw error;
      // A dump that was trimmed under our hands is no problem.
      const dumpId = partsOfDumpName(name)?.dumpId;
      if (dumpId !== undefined && (await context.storage.stat(dumpManifestName(dumpId))) === null) return;
      problems.find(error.code, typeof error.details['object'] === 'string' ? error.details['object'] : name, error.message);
    }
  };
  const dumps: Dump[] = [];
  for await (const { name } of context.storage.list(CATALOG)) {
    const parts = partsOfDumpName(name);
    if (parts === null) problems.find('REPOSITORY_OBJECT_DAMAGED', name, `${name} is no name of a dump`);
    else if (parts.part === 'manifest') {
      await attempt(name, async () => {
        const dump = await readDumpManifest(context, parts.dumpId);
        if (dump !== null && !('fenced' in dump)) dumps.push(dump);
      });
    }
  }
  for (const [place, dump] of dumps.sort(byAge).entries()) {
    throwIfAborted(check.signal);
    await attempt(dumpManifestName(dump.id), async () => {
      if (check.readsDump(dump.id, place === 0)) await readAll(context, dump, check);
      else await partsAreThere(context, dump, problems);
    });
  }
}

async function readAll(context: Pick<RepositoryContext, 'storage' | 'keys'>, dump: Dump, { signal, onRead }: DumpCheck): Promise<void> {
  const parts = readDumpParts(context, dump, { onRead, ...(signal === undefined ? {} : { signal }) });
  while ((await parts.next()).done !== true);
}

async function partsAreThere({ storage }: Pick<RepositoryContext, 'storage'>, dump: Dump, problems: Problems): Promise<void> {
  let storedBytes = 0;
  // The first that is missing ends it: a manifest may count more than anybody could ask for.
  for (let part = 1; part <= dump.parts; part += 1) {
    const there = await storage.stat(dumpPartName(dump.id, part));
    if (there === null) break;
    storedBytes += there.sizeBytes;
  }
  if (storedBytes === dump.storedBytes || (await storage.stat(dumpManifestName(dump.id))) === null) return;
  problems.find('REPOSITORY_OBJECT_DAMAGED', dumpManifestName(dump.id), `The parts of the dump ${dump.id} have ${storedBytes} bytes where ${dump.storedBytes} are due`);
}
