// Learns from the capture's log which collections are partly scanned right now, and counts operations that met one.
import type { LogLine } from '../../support/capture.ts';

export interface ScanWatcher {
  readonly onLog: (line: LogLine) => void;
  /** Some documents of the collection were read, and some were not. */
  isPartlyScanned(uuid: string | undefined): boolean;
  /** At least some documents of the collection were read. */
  wasRead(uuid: string | undefined): boolean;
  readonly scanning: boolean;
  /** No collection is being scanned any more. */
  end(): void;
  readonly lines: readonly LogLine[];
}

export function watchScans(): ScanWatcher {
  const partly = new Set<string>();
  const read = new Set<string>();
  const lines: LogLine[] = [];
  return {
    lines,
    onLog(line) {
      if (line.msg === 'scanning') partly.add(String(line.uuid));
      if (line.msg === 'scanning') read.add(String(line.uuid));
      else if (line.msg === 'scanned') partly.delete(String(line.uuid));
      else lines.push(line);
      if (line.next === 'gone' || line.next === 'again') partly.delete(String(line.uuid));
    },
    end: () => partly.clear(),
    isPartlyScanned: (uuid) => uuid !== undefined && partly.has(uuid),
    wasRead: (uuid) => uuid !== undefined && read.has(uuid),
    get scanning() { return partly.size > 0; },
  };
}

/** Operations by kind; for each run and over all. */
export interface Tally {
  count(kind: string): void;
  readonly counts: ReadonlyMap<string, number>;
}

export function createTally(kinds: readonly string[]): Tally {
  const counts = new Map(kinds.map((kind) => [kind, 0]));
  return { counts, count: (kind) => void counts.set(kind, (counts.get(kind) ?? 0) + 1) };
}
