// @ts-check
// Lists what mouse, fingers and keys do to an image.
import { make } from './page.js';

/** Keys by their names in `KeyboardEvent.key`, where people call them otherwise. */
const KEY_NAMES = /** @type {Record<string, string>} */ ({ ' ': 'Space' });
const GESTURES = [
  ['Drag', 'window and level, or what the first three buttons say'],
  ['Second button, two fingers', 'move the image'],
  ['Ctrl and wheel, pinch', 'zoom'],
  ['Wheel, arrow keys, one finger', 'slices and frames'],
  ['Page, Home and End keys', 'ten slices on, the first, the last'],
  ['Shift and arrow keys', 'like a drag'],
  ['Double-click', 'reset window and zoom'],
];

/** @param {string} key as `KeyboardEvent.key` has it */
export function nameOfKey(key) {
  return KEY_NAMES[key] ?? key.toUpperCase();
}

/** Make a closed list. @param {{key: string, title: string}[]} tools */
export function makeHelp(tools) {
  const keys = tools.map(({ key, title }) => [nameOfKey(key), title[0].toLowerCase() + title.slice(1)]);
  const rows = [...GESTURES, ...keys].flatMap(([what, does]) => [make('dt', {}, what), make('dd', {}, does)]);
  return make(
    'details',
    { className: 'help' },
    make('summary', {}, 'Mouse, fingers and keys'),
    make('dl', {}, ...rows),
    make('p', {}, 'Keys act while the image has the focus: click on it, or go there with the Tab key.'),
  );
}
