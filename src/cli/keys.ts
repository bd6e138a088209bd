// `leafvault keys …`: what opens the repository, and how that is changed. docs/design/keys.md has the rules.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { keysOf, type InstallationKeys, type KeySlotInfo, type RetiredSlot, type RotationReport } from '../app.ts';
import type { Config } from '../config/index.ts';
import { systemClock } from '../foundation/clock.ts';
import { LeafvaultError } from '../foundation/errors.ts';
import { createLogger } from '../foundation/logger.ts';
import { askPassphrase, askSecret } from './ask-secret.ts';
import { EXIT_CODES } from './errors.ts';
import type { CliWorld } from './world.ts';

/** Flags of all commands below `keys`; each reads its own. */
export interface KeysFlags {
  readonly passphrase: boolean;
  readonly recoveryKey: boolean;
  readonly resume: boolean;
  readonly removeOldSlot: boolean;
  readonly out: string | null;
  readonly json: boolean;
}

type Work = (keys: InstallationKeys, world: CliWorld, flags: KeysFlags) => Promise<number>;

/** Opens what the command needs, and closes it. */
export async function runKeys(world: CliWorld, config: Config, flags: KeysFlags, work: Work): Promise<number> {
  const keys = keysOf(config, { clock: systemClock, log: createLogger(config.logLevel) });
  try {
    return await work(keys, world, flags);
  } finally {
    await keys.close();
  }
}

export const listKeys: Work = async (keys, world, flags) => {
  const report = await keys.list(await passphraseIf(world, flags));
  const { repositoryId, masterKeyId, slots, oldKeyFiles, rotationBegun } = report;
  // What opens nothing fails, but is shown what would.
  const code = slots.some(({ opens }) => opens === true) ? EXIT_CODES.ok.code : EXIT_CODES.repository.code;
  if (flags.json) return say(world, `${JSON.stringify(report)}\n`, code);
  const inHand = flags.passphrase ? 'the passphrase' : masterKeyId === null ? null : `the master key ${masterKeyId}`;
  const rows = [['SLOT', 'KIND', 'KEY ID', 'MADE', ''], ...slots.map((slot) => [slot.id, slot.kind, slot.masterKeyId ?? '-', slot.createdAt ?? '-', remarkOf(slot)])];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return say(world, [
    `repository ${repositoryId}, ${inHand === null ? 'no key in hand' : code === EXIT_CODES.ok.code ? `opened with ${inHand}` : `${inHand} opens none of its slots`}`,
    ...rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()),
    ...oldKeyFiles.map((file) => `the old key in ${file} is still good: \`leafvault keys rotate --resume --remove-old-slot\` retires it`),
    ...(rotationBegun ? ['a rotation was begun and not ended: run `leafvault keys rotate --resume`'] : []),
  ].map((line) => `${line}\n`).join(''), code);
};

export const testKeys: Work = async (keys, world, flags) => {
  const [what, opener] = flags.recoveryKey ? ['recovery key', { recoveryKey: await askSecret(world, 'Recovery key: ', 'recovery key') }]
    : flags.passphrase ? ['passphrase', { passphrase: await askPassphrase(world) }] : ['master key file', null];
  const proven = await keys.test(opener as Parameters<InstallationKeys['test']>[0]);
  return say(world, flags.json ? `${JSON.stringify(proven)}\n` : `The ${what as string} opens the repository ${proven.repositoryId}, by the slot ${proven.slotId}\n`);
};

export const rotateKeys: Work = async (keys, world, { resume, removeOldSlot, json }) => {
  const report = await keys.rotate({ resume, removeOldSlot });
  world.out(json ? `${JSON.stringify(report)}\n` : describeRotation(report));
  return report.retired.some(({ slots }) => slots.some(({ outcome }) => outcome !== 'removed')) ? EXIT_CODES.failed.code : EXIT_CODES.ok.code;
};

export const addPassphrase: Work = async (keys, world, { json }) => {
  const added = await keys.addPassphrase(await askPassphrase(world, { isNew: true }));
  return say(world, json ? `${JSON.stringify(added)}\n` : `The passphrase opens the repository from now on, by the slot ${added.id}. It is stored nowhere: keep it where the backups are not\n`);
};

export const addKeyFile = (path: string): Work => async (keys, world, flags) => {
  const file = resolve(world.cwd, path);
  const { id, added, made } = await keys.addKeyFile(file, await passphraseIf(world, flags));
  if (flags.json) return say(world, `${JSON.stringify({ id, added, made, file })}\n`);
  return say(world, `The master key in ${file}${made ? ', made now,' : ''} opens the repository${added ? ' from now on' : ' already'}, by the slot ${id}. It does not open a catalog that is there\n`);
};

export const removeSlot = (id: string): Work => async (keys, world, flags) => {
  const slot = await keys.remove(id, await passphraseIf(world, flags));
  world.out(flags.json ? `${JSON.stringify(slot)}\n` : `${describeRetired(slot)}\n`);
  return slot.outcome === 'removed' ? EXIT_CODES.ok.code : EXIT_CODES.failed.code;
};

export const printKit: Work = async (keys, world, { out }) => {
  const page = await keys.kit(out !== null && /\.html?$/i.test(out) ? 'html' : 'text');
  if (out === null) return say(world, page);
  const file = resolve(world.cwd, out);
  await keys.writeKitFile(file, page);
  return say(world, `The recovery kit is in ${file}, for its owner alone. Print it, prove it with \`leafvault keys test-kit ${out}\`, keep the paper where the backups are not, and remove the file\n`);
};

/** @param store instead of the one on the page */
export const testKit = (path: string, store: string | null): Work => async (keys, world, { json }) => {
  const file = resolve(world.cwd, path);
  const page = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new LeafvaultError('RECOVERY_KIT_UNREADABLE', `Reading the recovery kit ${file} failed`, { cause, hint: 'Name the file that `leafvault keys kit --out` has made' });
  });
  const tempDir = await mkdtemp(join(tmpdir(), 'leafvault-kit-'));
  try {
    const tested = await keys.testKit(page, { store, tempDir });
    if (json) return say(world, `${JSON.stringify(tested)}\n`);
    world.out(`The kit opens the repository ${tested.repositoryId} in ${tested.store}, by the slot ${tested.slotId}: ${tested.snapshots} snapshots${tested.newest === null ? '' : `, the newest of ${tested.newest}`}\n`);
    if (tested.newerSlots.length > 0) world.out('WARNING: the master key was changed after this kit was made: print a new one, before the old key is removed\n');
    return EXIT_CODES.ok.code;
  } finally {
    await rm(tempDir, { recursive: true, force: true });
  }
};

function describeRotation({ outcome, masterKeyId, slotId, oldKeyFiles, retired, copiesBehind }: RotationReport): string {
  const slots = retired.flatMap((key) => key.slots);
  const lines = [
    outcome === 'ended' ? `There was no rotation to go on with. The master key ${masterKeyId} opens repository and catalog`
      : `The master key is ${masterKeyId} now; proven: it opens the catalog, and the repository by the slot ${slotId}`,
    ...slots.map(describeRetired),
    ...oldKeyFiles.map((file) => `The old key still opens both, and lies in ${file}`),
    ...(outcome === 'ended' ? [] : [
      'Next: copy the key file to every machine that runs Leafvault (what runs there goes on, and needs it at its next start), and print a new recovery kit with `leafvault keys kit`',
    ]),
    ...copiesBehind.map(({ address, reason }) => `WARNING: the copy in ${address} does not open with the new key yet (${reason}): bring it within reach and run \`leafvault copy\`; before that no old key can be retired`),
    ...(oldKeyFiles.length === 0 ? [] : ['Then: `leafvault keys rotate --resume --remove-old-slot` retires the old key']),
    ...(retired.length === 0 ? [] : [NOT_UNDONE]),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

const NOT_UNDONE = 'The data are sealed with the same repository key as before: whoever kept that, or keeps a copy of an old slot and its key, still reads them (docs/guides/keys.md)';

function describeRetired({ id, outcome, reason }: RetiredSlot): string {
  if (outcome === 'removed') return `The slot ${id} is gone from the store. A bucket that keeps versions still has it as an older version`;
  const why = outcome === 'refused' ? `the store refused to delete it (${reason ?? 'no reason given'})` : 'the store said that it was deleted, and still gives it back';
  return `The slot ${id} stays: ${why}. Its key opens the repository until it is gone; where an object lock holds it, run this again when the lock is over`;
}

function remarkOf({ opens, problem }: KeySlotInfo): string {
  return problem ?? (opens === true ? 'opens with the key in hand' : '');
}

function passphraseIf(world: CliWorld, { passphrase }: KeysFlags): Promise<string | null> {
  return passphrase ? askPassphrase(world) : Promise.resolve(null);
}

function say(world: CliWorld, text: string, code: number = EXIT_CODES.ok.code): number {
  world.out(text);
  return code;
}
