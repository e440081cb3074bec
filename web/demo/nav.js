// @ts-check
// Shows the link to this page where the links do not fit, as on a phone.
const nav = /** @type {HTMLElement} */ (document.querySelector('.masthead nav'));
const link = /** @type {HTMLElement | null} */ (nav.querySelector('[aria-current]'));
if (link) nav.scrollLeft = link.offsetLeft - nav.offsetLeft - (nav.clientWidth - link.clientWidth) / 2;
