// @ts-check
// Opens the closed group that the address names after `#`, or that contains the named row.
import './nav.js';

function openNamed() {
  const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const group = named?.closest('details');
  if (!named || !group) return;
  group.open = true;
  named.scrollIntoView();
}

addEventListener('hashchange', openNamed);
// A link to the same place again changes no hash, but the group may have been closed meanwhile.
document.addEventListener('click', ({ target }) => {
  if (target instanceof Element && target.closest('a[href^="#"]')) setTimeout(openNamed);
});
openNamed();
