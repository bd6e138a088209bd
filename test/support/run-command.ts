// One command of `leafvault` on a home of its own, in this process, and what it says.
import { runCli } from '../../src/cli/index.ts';

export interface CommandRun { readonly code: number; readonly out: string; readonly err: string }

/** @param command with its subcommand behind a space @param argv what follows it; a flag counts where the home's comes twice */
export async function runCommand(home: string, command: string, ...argv: readonly string[]): Promise<CommandRun> {
  const told = { out: '', err: '' };
  const code = await runCli({
    argv: [...command.split(' '), '--home', home, '--log-level', 'silent', ...argv], env: {}, cwd: home,
    readFile: () => { throw Object.assign(new Error('none'), { code: 'ENOENT' }); },
    out: (text) => { told.out += text; }, err: (text) => { told.err += text; }, stop: new AbortController().signal,
  });
  return { code, ...told };
}
