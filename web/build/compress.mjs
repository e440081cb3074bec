// node compress.mjs IN OUT QUALITY: write a file's brotli, for servers that send it in place of the file.
import { readFileSync, writeFileSync } from 'node:fs';
import { brotliCompressSync, constants } from 'node:zlib';

const [input, output, quality] = process.argv.slice(2);
const content = readFileSync(input);
const params = {
  [constants.BROTLI_PARAM_QUALITY]: Number(quality),
  [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
  [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
};
writeFileSync(output, brotliCompressSync(content, { params }));
