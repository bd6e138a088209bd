// Drills and recovery in words.
import type { OpenDrills } from '../app.ts';
import { plain, secondsText } from './text-table.ts';

type Drill = Awaited<ReturnType<OpenDrills['drills']['get']>>;
type Recovery = Awaited<ReturnType<OpenDrills['drills']['recovery']>>;

/** What a proven drill says. */
export function drillText({ snapshotId, place, documents, bytes, indexes, phases }: Drill): string {
  return `Snapshot ${snapshotId} is proven (${place}): ${countText(documents)} documents, ${sizeText(bytes)}, ${countText(indexes)} indexes; ${phases.map(({ phase, ms }) => `${phase} ${timeText(ms)}`).join(', ')}`;
}

/** `last proven …; expected recovery …; next drill …` */
export function recoveryText({ lastProvenAt, expected, nextDrillAt }: Recovery): string {
  const proven = lastProvenAt === null ? 'never proven' : `last proven ${secondsText(lastProvenAt)}`;
  const recovery = expected === null ? 'expected recovery time not known'
    : `expected recovery ${timeText(expected.milliseconds)} for ${sizeText(expected.bytes)} (from ${expected.drills} ${expected.drills === 1 ? 'drill' : 'drills'}${expected.unmeasured.length === 0 ? '' : `, without ${expected.unmeasured.join(' and ')}`})`;
  return `${proven}; ${recovery}; ${nextDrillAt === null ? 'no drill planned' : `next drill ${secondsText(nextDrillAt)}`}`;
}

/** Lines below a drill that was not proven, and warnings below one that was. */
export function causeOf({ errorCode, errorMessage, errorHint, warnings }: Drill): readonly string[] {
  const cause = [errorCode, errorMessage].filter((each) => each !== null).join(': ');
  return [
    ...(cause === '' ? [] : [`  ${plain(cause)}`]),
    ...(errorHint === null ? [] : [`  HINT: ${plain(errorHint)}`]),
    ...warnings.map((warning) => `  WARNING: ${plain(warning)}`),
  ];
}

export function timeText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 120) return `${seconds.toFixed(1)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function countText(count: number | null): string {
  return (count ?? 0).toLocaleString('en');
}

function sizeText(bytes: number | null): string {
  return `${((bytes ?? 0) / 1e6).toLocaleString('en', { maximumFractionDigits: 1 })} MB`;
}
