// One page for the drawer: what an empty machine needs to read a repository. Written here, and read back here to be tested.
import { LeafvaultError } from '../foundation/errors.ts';

export interface RecoveryKit {
  /** `LV1-…`: secret. */
  readonly recoveryKey: string;
  readonly masterKeyId: string;
  readonly repositoryId: string;
  /** Of the store, without secrets. */
  readonly store: string;
  readonly madeAt: Date;
}

/** The page as text. Lines that begin with `$` are commands for a shell. */
export function writeKit({ recoveryKey, masterKeyId, repositoryId, store, madeAt }: RecoveryKit): string {
  const isBucket = store.startsWith('s3:');
  const folder = isBucket ? 'store' : quoted(store.replace(/^file:/, ''));
  const place = `--repository-store ${quoted(store)} --master-key-file master.key`;
  return `LEAFVAULT RECOVERY KIT, made ${madeAt.toISOString().slice(0, 10)}

  recovery key   ${recoveryKey}
  key id         ${masterKeyId}
  repository     ${repositoryId}
  store          ${store}

Whoever has this page and gets at the store reads every backup in it. Without this key, or another one that
opens the repository, nobody does. Keep it on paper in a safe or in a password manager: not on a machine that
is backed up here, not beside the store, not in a mailbox. Print a new one after each \`leafvault keys rotate\`,
and destroy this one when the old key was removed.
${isBucket ? '\nThe bucket asks for credentials of its own, which are not on this page (AWS_ACCESS_KEY_ID,\nAWS_SECRET_ACCESS_KEY, a profile or a role). Where they are kept: ______________________________\n' : ''}
On an empty machine with Node 24, npm and the files of Leafvault (run npm ci in them), in their folder:

1. The key, typed from this page, then Enter and Ctrl-D. Case, spaces and hyphens do not count.
  $ (umask 077; cat > master.key)

2. Does it open the repository?
  $ node src/main.ts keys test ${place}

3. Is everything there?
  $ node src/main.ts check ${place}

4. The snapshots, and one of them as a folder that mongorestore takes, with nothing but Node and one file:
${isBucket ? `  $ ${syncCommand(store)}\n` : ''}  $ node tools/read-repository.ts ${folder} master.key
  $ node tools/read-repository.ts ${folder} master.key <snapshot id> <new folder>

5. A service that goes on with this repository: organizations, keys and clusters come back as of the last dump of
the catalog. The old machine must not run any more.
  $ node src/main.ts rescue --store ${quoted(store)} --key master.key --home leafvault-data

What else there is: docs/guides/rescue.md and docs/guides/keys.md.
\`leafvault keys test-kit <this file>\` proves that this page works.
`;
}

/** The same for a browser that prints it: no script, nothing from elsewhere. */
export function kitAsHtml(text: string): string {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return `<!doctype html>\n<meta charset="utf-8">\n<title>Leafvault recovery kit</title>\n<style>@page { margin: 15mm } body { font: 10pt/1.4 monospace } pre { white-space: pre-wrap }</style>\n<pre>\n${escaped}</pre>\n`;
}

/** Reads a page of `writeKit` or `kitAsHtml`, also where somebody typed it. @throws RECOVERY_KIT_UNREADABLE */
export function readKit(page: string): Pick<RecoveryKit, 'recoveryKey' | 'repositoryId' | 'store'> {
  const text = page.includes('<pre>') ? page.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&') : page;
  const line = (label: string): string => {
    const [, value] = new RegExp(`^[ \\t]*${label}[ \\t]+(\\S.*?)[ \\t\\r]*$`, 'm').exec(text) ?? [];
    if (value !== undefined) return value;
    throw new LeafvaultError('RECOVERY_KIT_UNREADABLE', `Reading the recovery kit failed: it has no line "${label}"`, { hint: 'Name a page that `leafvault keys kit` has made' });
  };
  return { recoveryKey: line('recovery key'), repositoryId: line('repository'), store: line('store') };
}

function syncCommand(store: string): string {
  const { hostname, pathname, searchParams } = new URL(store);
  const endpoint = searchParams.get('endpoint');
  return `aws s3 sync ${quoted(`s3://${hostname}${pathname}`)} store${endpoint === null ? '' : ` --endpoint-url ${quoted(endpoint)}`}`;
}

/** For a POSIX shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
