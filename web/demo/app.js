// @ts-check
// Gives each block of lines on app.html a button that copies them.
import './nav.js';

const SAID_MS = 2000;

const blocks = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('pre[data-copy]'));
for (const [index, pre] of blocks.entries()) {
  pre.id = `lines-${index}`;
  const button = document.createElement('button');
  Object.assign(button, { type: 'button', className: 'button plain copy', textContent: 'Copy' });
  button.setAttribute('aria-live', 'polite');
  button.setAttribute('aria-describedby', pre.id); // all of them are called "Copy"
  button.addEventListener('click', () => copy(pre, button));
  pre.tabIndex = 0; // it scrolls, so it has to be reachable by keyboard
  const box = document.createElement('div');
  box.className = 'copied';
  pre.replaceWith(box);
  box.append(pre, button);
}

/** @param {HTMLElement} pre @param {HTMLButtonElement} button says what came of it */
async function copy(pre, button) {
  try {
    await navigator.clipboard.writeText(pre.textContent ?? '');
    button.textContent = 'Copied';
  } catch {
    // Without permission, or without HTTPS: the reader copies the selected lines.
    getSelection()?.selectAllChildren(pre);
    button.textContent = 'Selected';
  }
  setTimeout(() => (button.textContent = 'Copy'), SAID_MS);
}
