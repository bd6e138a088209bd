// Lines into gzip parts of bounded size, each handed on whole.
import { once } from 'node:events';
import { createGzip, type Gzip } from 'node:zlib';

/** Of a part, before gzip. */
const PART_BYTES = 32 * 1024 * 1024;
/** Lines that are given to gzip at once. */
const PIECE_BYTES = 256 * 1024;
const GZIP_LEVEL = 4;

export interface PartWriter {
  /** One line, without its end. A line is in one part. */
  add(line: string): Promise<void>;
  /** What is left. @returns parts that were put */
  end(): Promise<number>;
}

/** @param put called with each part in order, 0 first; awaited before the next one begins */
export function createPartWriter(put: (number: number, bytes: Buffer) => Promise<void>, { partBytes = PART_BYTES } = {}): PartWriter {
  let part: OpenPart | null = null;
  let number = 0;
  let lines: string[] = [];
  let waiting = 0;
  const flush = async (): Promise<void> => {
    if (lines.length === 0) return;
    part ??= openPart();
    const text = Buffer.from(lines.join(''));
    lines = [];
    waiting = 0;
    await part.write(text);
  };
  const close = async (): Promise<void> => {
    await flush();
    if (part === null) return;
    const bytes = await part.end();
    part = null;
    await put(number, bytes);
    number += 1;
  };
  return {
    async add(line) {
      lines.push(line, '\n');
      waiting += line.length + 1;
      if (waiting >= PIECE_BYTES) await flush();
      if ((part?.raw ?? 0) + waiting >= partBytes) await close();
    },
    async end() {
      await close();
      return number;
    },
  };
}

interface OpenPart {
  readonly raw: number;
  write(text: Buffer): Promise<void>;
  end(): Promise<Buffer>;
}

function openPart(): OpenPart {
  const gzip: Gzip = createGzip({ level: GZIP_LEVEL, chunkSize: 64 * 1024 });
  const out: Buffer[] = [];
  gzip.on('data', (bytes: Buffer) => void out.push(bytes));
  let raw = 0;
  return {
    get raw() { return raw; },
    async write(text) {
      raw += text.length;
      if (!gzip.write(text)) await once(gzip, 'drain');
    },
    async end() {
      const ended = once(gzip, 'end');
      gzip.end();
      await ended;
      return Buffer.concat(out);
    },
  };
}
