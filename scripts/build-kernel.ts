// Compiles the BSON kernel (AssemblyScript) and writes the bytes that the product runs:
// `npm run build:kernel`. A test compiles again and compares, so sources and bytes can't part.
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { main as compile } from 'assemblyscript/asc';

const folder = fileURLToPath(new URL('../src/engine/bson/kernel/', import.meta.url));

/** The kernel's WebAssembly, freshly compiled from its source. */
export async function compileKernel(): Promise<Uint8Array> {
  const source = await readFile(`${folder}kernel.as.ts`, 'utf8');
  let binary: Uint8Array | undefined;
  const { error, stderr } = await compile(
    ['kernel.as.ts', '--runtime', 'stub', '-O3', '--noAssert', '--outFile', 'kernel.wasm'],
    {
      readFile: (name) => (name === 'kernel.as.ts' ? source : null),
      writeFile: (name, contents) => {
        if (name === 'kernel.wasm') binary = contents as unknown as Uint8Array;
      },
      listFiles: () => [],
    },
  );
  if (error !== null || binary === undefined) throw new Error(`Compiling the kernel failed: ${stderr.toString()}`, { cause: error });
  return binary;
}

/** The text of the file that holds the compiled bytes. */
export function kernelBytesFile(binary: Uint8Array): string {
  const lines = Buffer.from(binary).toString('base64').match(/.{1,120}/g) ?? [];
  return [
    '// Written by `npm run build:kernel` from kernel.as.ts; do not edit.',
    '',
    '/** The compiled kernel, base64. */',
    'export const KERNEL_BASE64 =',
    `${lines.map((line) => `  '${line}'`).join(' +\n')};`,
    '',
  ].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await writeFile(`${folder}kernel-bytes.ts`, kernelBytesFile(await compileKernel()));
}
