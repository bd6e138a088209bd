// Levels of a backup. Whatever is asked for, a whole snapshot is made: what is stored already is not stored again.
import { LeafvaultError } from '../../../foundation/errors.ts';

/** A value of an enumeration, which comes as a number or a word in any case; 0 where nothing is told. */
export function word(value: string | number | undefined): string {
  return String(value ?? 0).toLowerCase();
}

export interface BackupLevel { readonly number: number; readonly name: string }

export const FULL: BackupLevel = { number: 1, name: 'Full' };

const LEVELS: Readonly<Record<string, BackupLevel>> = {
  full: FULL,
  incremental: { number: 2, name: 'Incremental' },
  differential: { number: 4, name: 'Differential' },
  transaction_log: { number: 2, name: 'Transaction_Log' },
  synthetic_full: { number: 64, name: 'Synthetic_Full' },
  synthetic: { number: 64, name: 'Synthetic_Full' },
};

/** In words in any case or the vendor's number; absent or 0: full. @throws ENUM_UNKNOWN */
export function readLevel(given: string | number | undefined): BackupLevel {
  const word = String(given ?? 0).toLowerCase();
  const level = word === '0' || word === '' ? FULL : LEVELS[word] ?? Object.values(LEVELS).find(({ number }) => String(number) === word);
  if (level !== undefined) return level;
  // The vendor's numbers are known in part only; whatever one of them means, the same is made of it.
  if (/^[1-9]$/.test(word)) return { number: Number(word), name: `Level_${word}` };
  throw new LeafvaultError('ENUM_UNKNOWN', `Reading a level failed: backupLevel ${word} is not known`, { details: { name: `backupLevel [${String(given)}]` } });
}

/** What a job says of its level; null where it was asked for as what it does. */
export function noteOn(level: string | null): string | null {
  return level === null || level === FULL.name ? null : `Asked for as ${level}: a whole snapshot is made of it, in which what is stored already is not stored again`;
}
