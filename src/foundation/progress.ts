// What a long operation tells about itself while it runs; callbacks are handed in.

export interface Progress {
  /** Free text of the field's words: `scan`, `settle`, `load`, `indexes`, `prove`, `swap`. */
  readonly phase: string;
  readonly documentsDone: number;
  readonly documentsTotal: number | null;
  readonly bytesDone: number;
  readonly bytesTotal: number | null;
  /** Namespace that is being worked on, when there is one. */
  readonly namespace: string | null;
}

export type OnProgress = (progress: Progress) => void;
