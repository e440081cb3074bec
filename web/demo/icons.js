// @ts-check
// Icons of the tools, drawn with lines in a box of 20 by 20.

const SVG = 'http://www.w3.org/2000/svg';

/** Outlines as SVG paths. */
const PATHS = {
  actual: 'M4 6l2-1v10M14 6l2-1v10M10.5 8v.5M10.5 12v.5',
  fit: 'M3 7V3h4M13 3h4v4M17 13v4h-4M7 17H3v-4M7 7h6v6H7z',
  in: 'M8.5 3a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11M12.5 12.5L17 17M6 8.5h5M8.5 6v5',
  invert: 'M10 3a7 7 0 1 0 0 14a7 7 0 1 0 0-14M10 3v14M12.5 4v12M15 5.5v9',
  leave: 'M3 7h4V3M13 3v4h4M17 13h-4v4M7 17v-4H3',
  out: 'M8.5 3a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11M12.5 12.5L17 17M6 8.5h5',
  pan: 'M10 2v16M2 10h16M7.5 4.5L10 2l2.5 2.5M7.5 15.5L10 18l2.5-2.5M4.5 7.5L2 10l2.5 2.5M15.5 7.5L18 10l-2.5 2.5',
  pause: 'M6 4h2v12H6zM12 4h2v12h-2z',
  play: 'M6 4l10 6l-10 6z',
  reset: 'M4.5 4v4.5H9M4.8 8.2A6 6 0 1 1 4 12',
  screen: 'M3 7V3h4M13 3h4v4M17 13v4h-4M7 17H3v-4',
  slices: 'M10 3l7 3.5l-7 3.5l-7-3.5zM3 10l7 3.5l7-3.5M3 13.5l7 3.5l7-3.5',
  window:
    'M10 3v2M10 15v2M3 10h2M15 10h2M5 5l1.5 1.5M13.5 13.5L15 15M15 5l-1.5 1.5M6.5 13.5L5 15' +
    'M10 7a3 3 0 1 0 0 6a3 3 0 1 0 0-6',
};

/** @typedef {keyof typeof PATHS} Icon */

/** Make an icon, which the name of its button explains. @param {Icon} name */
export function makeIcon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  const path = document.createElementNS(SVG, 'path');
  svg.setAttribute('viewBox', '0 0 20 20');
  svg.setAttribute('aria-hidden', 'true');
  path.setAttribute('d', PATHS[name]);
  svg.append(path);
  return svg;
}
