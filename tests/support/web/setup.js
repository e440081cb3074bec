// @ts-check
// Define the constants that the build writes into the scripts, for tests that import their sources by
// `node --import` of this file.
import { readFileSync } from 'node:fs';
import './lock.js';

const facts = readFileSync(new URL('../../../pyloader/facts.json', import.meta.url), 'utf8');
Object.assign(globalThis, { PYLOADER_FACTS: JSON.parse(facts) });
