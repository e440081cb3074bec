// @ts-check
// Mends the theme for those who use a keyboard or a screen reader.

// Only a table that is too wide is a stop of the Tab key.
const sizes = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.scrollWidth > target.clientWidth) target.setAttribute('tabindex', '0');
    else target.removeAttribute('tabindex');
  }
});

/** Return the heading that an element is below. @param {Element} element */
function headingOf(element) {
  let before = element.previousElementSibling;
  while (before && !/^H[1-6]$/.test(before.tagName)) before = before.previousElementSibling;
  return before?.firstChild?.textContent?.trim() || 'Table';
}

function mend() {
  for (const box of document.querySelectorAll('.md-typeset__scrollwrap:not([role])')) {
    box.setAttribute('role', 'group');
    box.setAttribute('aria-label', headingOf(box));
    sizes.observe(box);
  }
  // A page has a copy button for each program: too many landmarks, and all without a name.
  for (const nav of document.querySelectorAll('nav.md-code__nav')) nav.setAttribute('role', 'none');
}

// The theme opens the navigation of a phone by a label, which no key reaches.
function addMenu(/** @type {HTMLElement} */ label) {
  const button = document.createElement('button');
  Object.assign(button, { type: 'button', className: `${label.className} menu`, ariaLabel: 'Navigation' });
  button.append(...label.childNodes);
  button.addEventListener('click', () => document.getElementById('__drawer')?.click());
  label.replaceWith(button);
}

document.querySelector('.md-search')?.setAttribute('aria-label', 'Search');
for (const label of document.querySelectorAll('.md-header label[for="__drawer"]'))
  addMenu(/** @type {HTMLElement} */ (label));
mend();
new MutationObserver(mend).observe(document.body, { childList: true, subtree: true });
