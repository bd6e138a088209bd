// Under whose name the server runs. PostgreSQL refuses to run as root, so root hands it to the unprivileged
// uid 65534; the user need not be able to log in. Whether that uid can reach a place is worked out here.
import { realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface Account { readonly uid: number; readonly gid: number }

const NOBODY: Account = { uid: 65534, gid: 65534 };

/** null: the server runs as we do. */
export function serverAccount(): Account | null {
  return process.getuid?.() === 0 ? NOBODY : null;
}

/** Whose data folder it has to be; null where the platform knows no uids. */
export function expectedOwner(account: Account | null): number | null {
  return account?.uid ?? process.getuid?.() ?? null;
}

/** Whether this account may enter every folder above `path`, and `path` itself. True when it runs as we do. */
export async function canReach(account: Account | null, path: string): Promise<boolean> {
  if (account === null) return true;
  for (let at = await realpath(path); ; at = dirname(at)) {
    const { mode, uid, gid } = await stat(at);
    const enter = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
    if ((mode & enter) === 0) return false;
    if (at === dirname(at)) return true;
  }
}
