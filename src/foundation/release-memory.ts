// Gives large buffers back at once. The garbage collector lets some 64 MiB of them pile up in every thread.

/** Frees the memory under `bytes` where they are alone in it; nobody may look at them any more. */
export function releaseMemory(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === bytes.byteLength && !buffer.detached) buffer.transfer(0);
}
