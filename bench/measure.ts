// One piece of work in this process; prints one line of JSON: seconds, CPU seconds, peak memory, bytes.
import { countBuffersAsHeap } from '../src/foundation/external-memory.ts';
import { REPLAY_WORKS } from './replay-works.ts';
import { WORKS, type WorkOptions } from './works.ts';

const [name = '', options = '{}'] = process.argv.slice(2);
const work = WORKS[name] ?? REPLAY_WORKS[name];
if (work === undefined) throw new Error(`There is no work called ${name}`);
// As `src/main.ts` does it; for the stand-ins, too.
countBuffersAsHeap();
const began = performance.now();
const result = await work(JSON.parse(options) as WorkOptions);
const seconds = (performance.now() - began) / 1000;
const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
console.log(JSON.stringify({ seconds, ...result, cpuSeconds: (userCPUTime + systemCPUTime) / 1e6, peakRssBytes: maxRSS * 1024 }));
