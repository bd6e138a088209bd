// The results as the table of docs/design: work, against what, how many times its speed, what is aimed at.
import type { Measured } from './run-measured.ts';

export type Samples = Readonly<Record<string, readonly Measured[]>>;

export interface Row {
  readonly work: string;
  readonly against: string;
  /** Sorted: minimum, median, maximum over the rounds. */
  readonly min: number;
  readonly median: number;
  readonly max: number;
  readonly unit: 'x' | '%' | 's' | 'ms' | 'MiB';
  readonly aim: string;
  /** Null where the aim is not a number. */
  readonly met: boolean | null;
}

const MIB = 1024 * 1024;

/** One row for each aim that these samples can speak about. */
export function tableRows(samples: Samples): Row[] {
  const rows: (Row | null)[] = [
    speed(samples, 'full snapshot', 'snapshot', 'rawRead', { name: 'raw read to nowhere', atLeast: 0.45 }),
    speed(samples, 'full snapshot', 'snapshot', 'mongodumpGzip', { name: 'mongodump --archive --gzip', atLeast: 6 }),
    size(samples, 'size of it', 'snapshot', 'mongodumpGzip', { name: 'mongodump --archive --gzip', atMost: 110 }),
    speed(samples, 'full snapshot', 'snapshot', 'mongodump', { name: 'mongodump --archive', atLeast: 0.8 }),
    stored(samples, 'size of it', 'snapshot'),
    again(samples, 'unchanged again', 'unchanged', 2.5),
    grown(samples, 'new bytes', 'unchanged', 0.5),
    again(samples, 'newest 1 % changed', 'newest', 2.5),
    grown(samples, 'new bytes', 'newest', 2),
    again(samples, 'random 1 % changed', 'random', 1.5),
    grown(samples, 'new bytes', 'random', 3),
    speed(samples, 'restore, proof included', 'restore', 'rawInsert', { name: 'raw insert + createIndexes', atLeast: 0.75 }),
    speed(samples, 'restore, proof included', 'restore', 'mongorestore', { name: 'mongorestore', atLeast: 1.5 }),
    speed(samples, 'restore of a snapshot with deltas', 'restore', 'restoreFull', { name: 'restore of one without', atLeast: 0.9 }),
    single(samples),
    speed(samples, 'replay to an instant', 'replay', 'plainReplay', { name: 'one applyOps for each operation', atLeast: 5 }),
    doors(samples),
    memory(samples, 'memory of a snapshot', 'snapshot'),
    memory(samples, 'memory of one with deltas', 'random'),
    memory(samples, 'memory of a restore', 'restore'),
    memory(samples, 'memory of a replay', 'replay'),
  ];
  return rows.filter((row) => row !== null);
}

export function printTable(rows: readonly Row[]): string {
  const head = ['work', 'against', 'min', 'median', 'max', 'aim', ''];
  const cells = rows.map(({ work, against, min, median, max, unit, aim, met }) => [
    work, against, ...[min, median, max].map((value) => `${value.toFixed(value < 10 ? 2 : 0)} ${unit}`), aim, met === null ? '' : met ? 'met' : 'MISSED',
  ]);
  const widths = head.map((title, column) => Math.max(title.length, ...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd();
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...cells.map(line)].join('\n');
}

/** Speed, CPU and memory of every piece of work, as medians. */
export function printSamples(samples: Samples): string {
  return Object.entries(samples)
    .filter(([name]) => name !== 'doors')
    .map(([name, all]) => {
      const seconds = medianOf(all.map((each) => each.seconds));
      const cpu = all.every((each) => each.cpuSeconds !== null) ? `${medianOf(all.map((each) => each.cpuSeconds ?? 0)).toFixed(1)} CPU s` : '';
      const rss = all.every((each) => each.peakRssBytes !== null) ? `${(medianOf(all.map((each) => each.peakRssBytes ?? 0)) / MIB).toFixed(0)} MiB` : '';
      const rate = medianOf(all.map((each) => each.bytes / 1e6 / each.seconds)).toFixed(0);
      return `${name.padEnd(14)}${seconds.toFixed(2).padStart(8)} s ${rate.padStart(6)} MB/s ${cpu.padStart(12)} ${rss.padStart(9)}`;
    })
    .join('\n');
}

function speed(samples: Samples, work: string, ours: string, theirs: string, { name, atLeast }: { readonly name: string; readonly atLeast: number }): Row | null {
  const ratios = pairs(samples, ours, theirs, (a, b) => a.bytes / a.seconds / (b.bytes / b.seconds));
  return row({ work, against: name, unit: 'x', aim: `>= ${atLeast} x` }, ratios, (median) => median >= atLeast);
}

function again(samples: Samples, work: string, name: string, atLeast: number): Row | null {
  return row({ work, against: 'the full snapshot', unit: 'x', aim: `>= ${atLeast} x` }, pairs(samples, name, 'snapshot', (a, b) => b.seconds / a.seconds), (median) => median >= atLeast);
}

function grown(samples: Samples, work: string, name: string, atMost: number): Row | null {
  const ratios = pairs(samples, name, 'snapshot', (a, b) => (100 * (a.storedBytes ?? 0)) / (b.storedBytes ?? 1));
  return row({ work: `  ${work}`, against: 'stored by the full one', unit: '%', aim: `<= ${atMost} %` }, ratios, (median) => median <= atMost);
}

function size(samples: Samples, work: string, ours: string, theirs: string, { name, atMost }: { readonly name: string; readonly atMost: number }): Row | null {
  return row({ work: `  ${work}`, against: name, unit: '%', aim: `<= ${atMost} %` }, pairs(samples, ours, theirs, (a, b) => (100 * (a.storedBytes ?? 0)) / (b.storedBytes ?? 1)), (median) => median <= atMost);
}

function stored(samples: Samples, work: string, ours: string): Row | null {
  return row({ work: `  ${work}`, against: 'raw BSON', unit: '%', aim: '' }, (samples[ours] ?? []).map((each) => (100 * (each.storedBytes ?? 0)) / each.bytes), null);
}

function single(samples: Samples): Row | null {
  const ratios = pairs(samples, 'restoreOne', 'restore', (a, b) => (100 * a.seconds) / b.seconds);
  return row({ work: 'restore of 1 % as one collection', against: 'the whole restore', unit: '%', aim: 'by its own size' }, ratios, null);
}

function doors(samples: Samples): Row | null {
  return row({ work: 'a page of 500, or one, of 100,000', against: 'worst p99 of all paths', unit: 'ms', aim: '< 25 ms' }, (samples.doors ?? []).map(({ seconds }) => 1_000 * seconds), (_, max) => max < 25);
}

function memory(samples: Samples, work: string, name: string): Row | null {
  const mebibytes = (samples[name] ?? []).map((each) => (each.peakRssBytes ?? 0) / MIB);
  return row({ work, against: 'peak RSS', unit: 'MiB', aim: '< 512 MiB' }, mebibytes, (_, max) => max < 512);
}

/** Samples of the same round belong together: what a busy machine does to one it does to the other. */
function pairs(samples: Samples, ours: string, theirs: string, ratio: (a: Measured, b: Measured) => number): number[] {
  const [a = [], b = []] = [samples[ours], samples[theirs]];
  return a.flatMap((each, round) => (b[round] === undefined ? [] : [ratio(each, b[round])]));
}

function row(what: Pick<Row, 'work' | 'against' | 'unit' | 'aim'>, values: readonly number[], isMet: ((median: number, max: number) => boolean) | null): Row | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const median = medianOf(sorted);
  const max = sorted.at(-1) ?? 0;
  return { ...what, min: sorted[0] ?? 0, median, max, met: isMet === null ? null : isMet(median, max) };
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
