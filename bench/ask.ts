// A client in a thread of its own, so that neither its time nor its garbage is the server's. Asked by `bench/doors.ts`.
import { Agent, get } from 'node:http';
import { parentPort } from 'node:worker_threads';

export interface Question { readonly url: string; readonly headers: Readonly<Record<string, string>> }
/** Until the last byte of the answer was there. */
export interface Answered { readonly status: number; readonly milliseconds: number; readonly text: string }

const agent = new Agent({ keepAlive: true, maxSockets: 1 });

parentPort?.on('message', (question: Question) => {
  const began = performance.now();
  get(question.url, { agent, headers: question.headers }, (answer) => {
    const parts: Buffer[] = [];
    answer.on('data', (part: Buffer) => parts.push(part));
    answer.on('end', () => {
      const milliseconds = performance.now() - began;
      const status = answer.statusCode ?? 0;
      parentPort?.postMessage({ status, milliseconds, text: status === 200 ? '' : Buffer.concat(parts).toString() } satisfies Answered);
    });
  }).on('error', (error) => { throw error; });
});
