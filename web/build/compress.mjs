// node compress.mjs IN OUT: brotli, for servers that have it beside the file. Large files are not
// worth the minutes that the last percents take.
import { readFileSync, writeFileSync } from "node:fs";
import { brotliCompressSync, constants } from "node:zlib";

const LARGE_BYTES = 10 * 2 ** 20;

const [input, output] = process.argv.slice(2);
const content = readFileSync(input);
const params = {
  [constants.BROTLI_PARAM_QUALITY]: content.length > LARGE_BYTES ? 9 : 11,
  [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
  [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
};
writeFileSync(output, brotliCompressSync(content, { params }));
