// The demo's voice: chapters, calls with their answers, progress bars, a closing table. On a terminal bars are
// redrawn in place; elsewhere they are lines that come rarely.
import { styleText } from 'node:util';

export interface Bar {
  /** @param share 0..1, or null while the total is unknown */
  update(share: number | null, text: string): void;
  done(text: string): void;
}

export interface Story {
  chapter(title: string): void;
  say(text: string): void;
  /** One HTTP call, its status and what it means. */
  call(method: string, path: string, status: number, meaning: string): void;
  bar(label: string): Bar;
  /** Marks a fact as proven, for the closing table. */
  proven(what: string, evidence: string): void;
  failed(text: string): void;
  table(): void;
}

const BAR_WIDTH = 28;
const LINE_EVERY_MS = 2_000;

export function createStory(out: NodeJS.WriteStream = process.stdout): Story {
  const isTerminal = out.isTTY === true;
  const rows: { readonly what: string; readonly evidence: string }[] = [];
  const paint = (style: Parameters<typeof styleText>[0], text: string): string => styleText(style, text, { stream: out });
  const line = (text = ''): void => void out.write(`${text}\n`);
  let chapters = 0;
  return {
    chapter(title) {
      chapters += 1;
      line();
      line(paint('bold', `${chapters}. ${title}`));
    },
    say: (text) => line(`   ${text}`),
    call(method, path, status, meaning) {
      line(`   ${paint('cyan', method.padEnd(5))}${path}`);
      line(`     ${paint(status < 400 ? 'green' : 'yellow', String(status))} ${meaning}`);
    },
    bar: (label) => (isTerminal ? terminalBar(out, label) : plainBar(line, label)),
    proven(what, evidence) {
      rows.push({ what, evidence });
      line(`   ${paint('green', 'proven')} ${what}: ${evidence}`);
    },
    failed: (text) => line(`\n${paint('red', 'FAILED')} ${text}`),
    table() {
      const width = Math.max(...rows.map(({ what }) => what.length), 4);
      line();
      line(paint('bold', 'What was proven'));
      line(`  ${'─'.repeat(width + 2)}┬${'─'.repeat(64)}`);
      for (const { what, evidence } of rows) line(`  ${paint('green', '✔')} ${what.padEnd(width)}│ ${evidence}`);
      line(`  ${'─'.repeat(width + 2)}┴${'─'.repeat(64)}`);
    },
  };
}

function terminalBar(out: NodeJS.WriteStream, label: string): Bar {
  const began = performance.now();
  let beat = 0;
  const draw = (share: number | null, text: string): void => {
    beat += 1;
    const row = `   ${label} ${drawBar(share, beat)} ${share === null ? '     ' : `${String(Math.floor(share * 100)).padStart(3)} %`} ${text}`;
    out.write(`\r\u001B[2K${row.slice(0, Math.max(20, (out.columns || 100) - 1))}`);
  };
  return {
    update: (share, text) => draw(share === null ? null : Math.min(1, share), text),
    done(text) {
      draw(1, `${text} ${seconds(began)}`);
      out.write('\n');
    },
  };
}

function plainBar(line: (text: string) => void, label: string): Bar {
  const began = performance.now();
  let last = -Infinity;
  return {
    update(share, text) {
      if (performance.now() - last < LINE_EVERY_MS) return;
      last = performance.now();
      line(`   ${label} ${drawBar(share, 0)} ${share === null ? '' : `${Math.floor(Math.min(1, share) * 100)} % `}${text}`);
    },
    done: (text) => line(`   ${label} ${drawBar(1, 0)} 100 % ${text} ${seconds(began)}`),
  };
}

function drawBar(share: number | null, beat: number): string {
  if (share !== null) {
    const full = Math.round(Math.min(1, share) * BAR_WIDTH);
    return '█'.repeat(full) + '░'.repeat(BAR_WIDTH - full);
  }
  const at = beat % (BAR_WIDTH - 3);
  return `${'░'.repeat(at)}███${'░'.repeat(BAR_WIDTH - 3 - at)}`;
}

function seconds(began: number): string {
  return `in ${((performance.now() - began) / 1000).toFixed(1)} s`;
}
