// The small objects: descriptor, key slots, facts, sessions. None of them costs a snapshot's data.
import { isLeafvaultError } from '../../foundation/errors.ts';
import type { RepositoryContext } from '../context.ts';
import { readRecord } from '../bad-copies.ts';
import { readFact } from '../facts.ts';
import { parseKeySlot } from '../format/key-slot.ts';
import { BAD, FACTS, idOfName, KEYS, partsOfFactName, REPOSITORY_FILE, SESSIONS } from '../format/names.ts';
import { parseRepositoryFile } from '../format/repository-file.ts';
import { openJson } from '../format/sealed-json.ts';
import { readCondemned } from '../generations.ts';
import { readObject, readObjectIfAny } from '../read-object.ts';
import type { Problems } from './problems.ts';

type Context = Pick<RepositoryContext, 'storage' | 'keys'>;

export async function checkRecords({ storage, keys }: Context, problems: Problems): Promise<void> {
  const attempt = async (name: string, read: () => Promise<unknown>): Promise<void> => {
    try {
      await read();
    } catch (error) {
      if (!isLeafvaultError(error) || !error.code.startsWith('REPOSITORY_')) throw error;
      const finding = problems.find(error.code, name, error.message);
      const snapshotId = partsOfFactName(name)?.snapshotId;
      if (snapshotId !== undefined) finding.costs(snapshotId, null);
    }
  };
  await attempt(REPOSITORY_FILE, async () => parseRepositoryFile(await readObject(storage, REPOSITORY_FILE)));
  for await (const { name } of storage.list(KEYS)) {
    const id = idOfName(name);
    if (id !== null) await attempt(name, async () => parseKeySlot(id, await readObject(storage, name)));
  }
  for await (const { name } of storage.list(FACTS)) await attempt(name, () => readFact({ storage, keys }, name));
  for await (const { name } of storage.list(SESSIONS)) {
    await attempt(name, async () => {
      const bytes = await readObjectIfAny(storage, name);
      if (bytes !== null) openJson(keys, { kind: name.endsWith('.end') ? 'sessionEnd' : 'session', name }, bytes);
    });
  }
  for await (const { name } of storage.list(BAD)) await attempt(name, () => readRecord({ storage, keys }, name));
  for (const { code, details, message } of (await readCondemned({ storage, keys })).unreadable) problems.find(code, String(details['object']), message);
}
