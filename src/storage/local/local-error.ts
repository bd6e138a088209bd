// From an operating system's error to one of ours: what failed, why, and what to do.
import { LeafvaultError, type ErrorOptionsOf } from '../../foundation/errors.ts';

// These pass by themselves: too many open files, a lock, a network folder that was served anew.
const RETRYABLE = new Set(['EAGAIN', 'EBUSY', 'EINTR', 'EMFILE', 'ENFILE', 'ESTALE', 'ETIMEDOUT']);

/** The `code` of a system error (`ENOENT`), or undefined. */
export function errnoOf(cause: unknown): string | undefined {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
}

/** STORAGE_FULL, STORAGE_DENIED or STORAGE_FAILED, naming operation, object and folder. */
export function localError(operation: string, name: string, root: string, cause: unknown): LeafvaultError {
  const errno = errnoOf(cause);
  const options: ErrorOptionsOf = { cause, details: { name, folder: root, errno: errno ?? null } };
  switch (errno) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new LeafvaultError('STORAGE_FULL', `${operation} ${name} failed: no room is left below ${root}`, {
        ...options,
        hint: 'Free disk space or move the repository to a larger disk, then run the job again; what was stored is used again',
      });
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new LeafvaultError('STORAGE_DENIED', `${operation} ${name} failed: this process may not do that below ${root} (${errno})`, {
        ...options,
        hint: 'Give the user that runs Leafvault read and write access to the folder, on a file system with hard links that is mounted writable',
      });
    case 'ENOTSUP':
    case 'EOPNOTSUPP':
    case 'ENOSYS':
      return new LeafvaultError('STORAGE_FAILED', `${operation} ${name} failed: the file system of ${root} cannot do that (${errno})`, {
        ...options,
        hint: 'Use a file system with hard links (ext4, xfs, btrfs, zfs, APFS, NTFS, NFS)',
      });
    case 'ENOENT':
      return new LeafvaultError('STORAGE_FAILED', `${operation} ${name} failed: a folder below ${root} is gone`, {
        ...options,
        hint: 'Look whether its disk is mounted and whether somebody took folders away; when they are back it goes on',
      });
    default:
      return new LeafvaultError('STORAGE_FAILED', `${operation} ${name} failed below ${root} (${errno ?? 'unknown error'})`, {
        ...options,
        retryable: errno !== undefined && RETRYABLE.has(errno),
      });
  }
}
