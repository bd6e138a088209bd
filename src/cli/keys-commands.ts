// The commands below `leafvault keys` and their flags.
import type { Command } from 'commander';
import type { Config } from '../config/index.ts';
import { addKeyFile, addPassphrase, listKeys, printKit, removeSlot, rotateKeys, runKeys, testKeys, testKit, type KeysFlags } from './keys.ts';
import type { CliWorld } from './world.ts';

interface Registry {
  readonly command: (parent: Command, name: string, description: string) => Command;
  readonly configOf: (flags: Readonly<Record<string, unknown>>) => Config;
  readonly setCode: (code: number) => void;
}

const PASSPHRASE = 'with a passphrase that opens it, in the place of the master key file';

export function addKeysCommands(world: CliWorld, keys: Command, { command, configOf, setCode }: Registry): void {
  type Work = Parameters<typeof runKeys>[3];
  const run = (work: (flags: Readonly<Record<string, unknown>>) => Work) => async (flags: Readonly<Record<string, unknown>>): Promise<void> =>
    setCode(await runKeys(world, configOf(flags), flagsOf(flags), work(flags)));
  const runOn = (work: (argument: string, flags: Readonly<Record<string, unknown>>) => Work) => (argument: string, flags: Readonly<Record<string, unknown>>): Promise<void> =>
    run(() => work(argument, flags))(flags);

  keys.addHelpText('after', '\nA passphrase is asked without echo, or is the first line of standard input or of the file that LEAFVAULT_PASSPHRASE_FILE names.\nThe rules behind it, and what a rotation does not undo: docs/guides/keys.md\n');
  command(keys, 'list', 'the key slots of the repository: kind, when made, which open with the key in hand')
    .option('--passphrase', PASSPHRASE).option('--json', 'as a JSON object').action(run(() => listKeys));
  command(keys, 'test', 'prove that the master key file, a recovery key or a passphrase opens the repository')
    .option('--recovery-key', 'a recovery key that is typed in').option('--passphrase', 'a passphrase that is typed in').option('--json', 'as a JSON object').action(run(() => testKeys));
  command(keys, 'rotate', 'make a new master key; the old one stays good until it is retired')
    .option('--resume', 'begin nothing: end a rotation that was struck, and retire old keys where that is asked')
    .option('--remove-old-slot', 'retire the old keys: they open neither catalog nor repository any more, where the store lets their slots go')
    .option('--json', 'as a JSON object')
    .addHelpText('after', '\nProcesses that run go on; a start needs a key file that opens. It can be stopped anywhere and run again.\n')
    .action(run(() => rotateKeys));
  command(keys, 'add-passphrase', 'let a passphrase open the repository, for a rescue and for offline commands').option('--json', 'as a JSON object').action(run(() => addPassphrase));
  command(keys, 'add-key', 'let another master key open the repository; makes its file where there is none')
    .argument('<file>', 'of the other key').option('--passphrase', PASSPHRASE).option('--json', 'as a JSON object').action(runOn((file) => addKeyFile(file)));
  command(keys, 'remove', 'remove a key slot; never the last one that opens with the key in hand')
    .argument('<slot>', 'its id, as `leafvault keys list` shows it').option('--passphrase', PASSPHRASE).option('--json', 'as a JSON object').action(runOn((slot) => removeSlot(slot)));
  command(keys, 'kit', 'print the recovery kit: one page with the recovery key and what an empty machine needs')
    .option('--out <file>', 'into a file of mode 0600; .html: for a browser that prints it').action(run(() => printKit));
  command(keys, 'test-kit', 'prove that a recovery kit opens the repository, with what stands on it alone')
    .argument('<file>', 'the page, as it was printed').option('--json', 'as a JSON object')
    .addHelpText('after', '\nThe store is the one on the page; --repository-store names another one.\n')
    .action(runOn((file, flags) => testKit(file, typeof flags.repositoryStore === 'string' ? configOf(flags).repositoryStore : null)));
}

function flagsOf(flags: Readonly<Record<string, unknown>>): KeysFlags {
  return {
    passphrase: flags.passphrase === true, recoveryKey: flags.recoveryKey === true, resume: flags.resume === true, removeOldSlot: flags.removeOldSlot === true,
    out: typeof flags.out === 'string' ? flags.out : null, json: flags.json === true,
  };
}
