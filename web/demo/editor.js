// @ts-check
// A textarea for code: line numbers, a mark for the wrong line, Tab to indent, Ctrl+Enter to run.
import { make } from './page.js';

const INDENT = '    ';

export class Editor {
  #leaveByTab = false;

  /** @param {HTMLElement} box contains `.gutter` and a textarea @param {() => void} run */
  constructor(box, run) {
    this.gutter = /** @type {HTMLElement} */ (box.querySelector('.gutter'));
    this.area = /** @type {HTMLTextAreaElement} */ (box.querySelector('textarea'));
    this.onRun = run;
    this.area.addEventListener('input', () => this.#number());
    this.area.addEventListener('scroll', () => (this.gutter.scrollTop = this.area.scrollTop));
    this.area.addEventListener('keydown', (event) => this.#onKey(event));
  }

  get text() {
    return this.area.value;
  }

  set text(text) {
    this.area.value = text;
    this.area.setSelectionRange(0, 0);
    this.area.scrollTop = 0;
    this.mark(undefined);
    this.#number();
  }

  /** Mark a line, from 1, and bring it into view. @param {number | undefined} line */
  mark(line) {
    this.gutter.querySelector('.wrong')?.classList.remove('wrong');
    const number = line && /** @type {HTMLElement | undefined} */ (this.gutter.children[line - 1]);
    if (!number) return;
    number.classList.add('wrong');
    const { offsetTop, offsetHeight } = number;
    const { scrollTop, clientHeight } = this.area;
    const isVisible = offsetTop >= scrollTop && offsetTop + offsetHeight <= scrollTop + clientHeight;
    if (!isVisible) this.area.scrollTop = offsetTop - clientHeight / 2;
  }

  #number() {
    const wanted = this.area.value.split('\n').length;
    const { children } = this.gutter;
    while (children.length > wanted) children[children.length - 1].remove();
    while (children.length < wanted) this.gutter.append(make('span', {}, String(children.length + 1)));
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const isTab = event.key === 'Tab' && !event.ctrlKey && !event.altKey && !event.metaKey;
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      this.onRun();
    } else if (isTab && !this.#leaveByTab) {
      event.preventDefault();
      this.#indent(event.shiftKey);
    }
    if (event.key !== 'Shift') this.#leaveByTab = event.key === 'Escape';
  }

  /** Indent at the cursor, or all selected lines. @param {boolean} isBack */
  #indent(isBack) {
    const { selectionStart, selectionEnd, value } = this.area;
    const isOneLine = !value.slice(selectionStart, selectionEnd).includes('\n');
    if (isOneLine && !isBack) return this.#insert(INDENT);
    const start = value.lastIndexOf('\n', selectionStart - 1) + 1;
    this.area.setSelectionRange(start, selectionEnd);
    const lines = value.slice(start, selectionEnd);
    const changed = isBack ? lines.replace(/^ {1,4}/gm, '') : lines.replace(/^(?=.)/gm, INDENT);
    this.#insert(changed);
    if (isOneLine) this.area.setSelectionRange(start + changed.length, start + changed.length);
    else this.area.setSelectionRange(start, start + changed.length);
  }

  /** Replace the selection so that Undo can restore it. @param {string} text */
  #insert(text) {
    // execCommand is deprecated, but nothing else keeps the undo history; setRangeText is the fallback.
    if (document.execCommand(text ? 'insertText' : 'delete', false, text)) return;
    this.area.setRangeText(text, this.area.selectionStart, this.area.selectionEnd, 'end');
    this.#number();
  }
}
