// node assemble.mjs FILE OUT: assemble a WebAssembly text file (.wat), and write it as base64.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import wabt from 'wabt';

/** @param {string} file @returns {Promise<string>} */
export async function assemble(file) {
  const { parseWat } = await wabt();
  const { buffer } = parseWat(file, readFileSync(file, 'utf8'), { simd: true }).toBinary({});
  return Buffer.from(buffer).toString('base64');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(process.argv[3], await assemble(process.argv[2]));
