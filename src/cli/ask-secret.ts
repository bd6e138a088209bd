// Secrets that a person types, or that come by a file or a pipe: never as a flag, which shows in the process list.
import { createInterface } from 'node:readline';
import type { ReadStream } from 'node:tty';
import { LeafvaultError } from '../foundation/errors.ts';
import type { CliWorld } from './world.ts';

/** Where answers come from. */
export interface SecretInput {
  /** True where a person sits at it: then a new secret is asked twice. */
  readonly isTerminal: boolean;
  /** One line without its end; a terminal shows nothing of it. Null when there is no more. */
  readLine(prompt: string): Promise<string | null>;
}

export const PASSPHRASE_FILE = 'LEAFVAULT_PASSPHRASE_FILE';

/** The first line of the file that LEAFVAULT_PASSPHRASE_FILE names, else of standard input. @throws CLI_SECRET_MISSING */
export async function askPassphrase(world: CliWorld, options: { readonly isNew?: boolean } = {}): Promise<string> {
  const file = world.env[PASSPHRASE_FILE];
  if (file !== undefined && file !== '') return firstLine(world, file);
  const passphrase = await askSecret(world, options.isNew === true ? 'New passphrase: ' : 'Passphrase: ', 'passphrase');
  if (options.isNew !== true || world.input?.isTerminal !== true) return passphrase;
  if ((await askSecret(world, 'The same again: ', 'passphrase')) === passphrase) return passphrase;
  throw new LeafvaultError('CLI_SECRET_MISSING', 'Taking the passphrase was refused: the two are not the same', { hint: 'Nothing was changed; run it again' });
}

/** @throws CLI_SECRET_MISSING */
export async function askSecret({ input }: CliWorld, prompt: string, what: string): Promise<string> {
  const line = (await input?.readLine(prompt)) ?? '';
  if (line !== '') return line;
  throw new LeafvaultError('CLI_SECRET_MISSING', `Reading the ${what} failed: nothing came on standard input`, {
    hint: what === 'passphrase' ? `Type it, pipe it in, or name a file that holds it with ${PASSPHRASE_FILE}` : 'Type it, or pipe it in',
  });
}

function firstLine(world: CliWorld, file: string): string {
  try {
    const [line = ''] = world.readFile(file).split(/\r?\n/);
    if (line !== '') return line;
  } catch (cause) {
    throw new LeafvaultError('CLI_SECRET_MISSING', `Reading the passphrase from ${file} failed`, { cause, hint: `${PASSPHRASE_FILE} names a file whose first line is the passphrase` });
  }
  throw new LeafvaultError('CLI_SECRET_MISSING', `Reading the passphrase from ${file} failed: its first line is empty`);
}

/** Of a process. Nothing is read before the first question. @param write shows the prompt */
export function processInput(stdin: ReadStream | NodeJS.ReadableStream, write: (text: string) => void): SecretInput {
  const terminal = 'isTTY' in stdin && stdin.isTTY ? stdin : null;
  let lines: AsyncIterator<string> | null = null;
  return {
    isTerminal: terminal !== null,
    async readLine(prompt) {
      if (terminal !== null) return readHidden(terminal, prompt, write);
      lines ??= createInterface({ input: stdin })[Symbol.asyncIterator]();
      const { value, done } = await lines.next();
      return done === true ? null : String(value);
    },
  };
}

/** Raw mode, so that the terminal echoes nothing. */
function readHidden(terminal: ReadStream, prompt: string, write: (text: string) => void): Promise<string | null> {
  // Before the prompt: who types at once is not echoed either.
  terminal.setRawMode(true).setEncoding('utf8').resume();
  write(prompt);
  return new Promise((resolve, reject) => {
    let typed = '';
    const end = (settle: () => void): void => {
      terminal.off('data', onData).setRawMode(false).pause();
      write('\n');
      settle();
    };
    const onData = (keys: string): void => {
      for (const key of keys) {
        if (key === '\r' || key === '\n') return end(() => resolve(typed));
        if (key === '\u0004') return end(() => resolve(typed === '' ? null : typed));
        if (key === '\u0003') return end(() => reject(new LeafvaultError('CLI_SECRET_MISSING', 'Stopped: nothing was changed')));
        if (key === '\u007f' || key === '\b') typed = [...typed].slice(0, -1).join('');
        else typed += key;
      }
    };
    terminal.on('data', onData);
  });
}
