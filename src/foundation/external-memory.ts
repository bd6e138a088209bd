// How the garbage collector counts the memory of buffers. By itself V8 collects everything whenever 64 MiB of buffers came to be since
// the last time, forty times for each gigabyte that is read: a quarter of a snapshot's CPU (decision 0015).
import { setFlagsFromString } from 'node:v8';

/** Counts buffers like objects, so that a collection comes when memory has really grown. Process-wide; to be called before work begins. */
export function countBuffersAsHeap(): void {
  setFlagsFromString('--external-memory-accounted-in-global-limit');
}
