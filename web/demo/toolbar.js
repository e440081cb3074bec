// @ts-check
// Tools below an image: what a drag does, zoom, windows, the film, full screen. Keys do the same while the image has
// the focus.
import { Cine, speedOf } from './cine.js';
import { makeHelp, nameOfKey } from './help.js';
import { makeIcon } from './icons.js';
import { make } from './page.js';
import { presetsOf } from './presets.js';

/** @typedef {import('./viewer.js').Viewer} Viewer */
/** @typedef {import('./viewer.js').Mode} Mode */
/** @typedef {import('./icons.js').Icon} Icon */
/**
 * @typedef {object} Tool
 * @property {string} title
 * @property {string} key as `KeyboardEvent.key` has it
 * @property {() => void} act
 * @property {() => boolean} [isPressed] for a tool that stays on
 * @property {boolean} [isOfGrey] does nothing to colour
 */

const ZOOM_STEP = 1.25;
const MODES = /** @type {Record<Mode, string>} */ ({
  window: 'Drag to change the window',
  pan: 'Drag to move the image',
  slices: 'Drag to go through slices',
});

export class Toolbar {
  /** @type {Map<string, HTMLButtonElement>} */
  #buttons = new Map();
  /** @type {import('./presets.js').Preset[]} */
  #presets = [];
  /** Image that the presets are of. @type {import('../pyloader.d.ts').Image | undefined} */
  #image;
  /** Number of the stack that the speed is of. */
  #opened = -1;

  /**
   * @param {HTMLElement} view contains the viewers and the box of the stack; full screen shows it
   * @param {Viewer[]} viewers share the tools
   * @param {import('./controls.js').Stack} stack plays as a film
   */
  constructor(view, viewers, stack) {
    this.view = view;
    this.viewers = viewers;
    this.stack = stack;
    this.cine = new Cine(stack, () => this.#update());
    /** @type {Record<string, Tool>} */
    this.tools = { ...this.#viewTools(), ...this.#modeTools(), ...this.#filmTools() };
    this.windows = make('select', { onchange: () => this.#choosePreset() });
    this.windows.setAttribute('aria-label', 'Window');
    const onchange = () => this.#setSpeed(this.speed.valueAsNumber);
    this.speed = make('input', { type: 'number', min: '1', max: '60', onchange });
    this.speed.setAttribute('form', ''); // Enter sends no form around it
    stack.box.append(this.#group('Film', this.#button('play'), make('label', {}, this.speed, 'frames/s')));
    const element = make(
      'div',
      { className: 'tools' },
      this.#group('A drag', ...['window', 'pan', 'slices'].map((name) => this.#button(name))),
      this.#group('Zoom', ...['out', 'in', 'fit', 'actual'].map((name) => this.#button(name))),
      this.#group('Window', this.windows, this.#button('invert'), this.#button('reset')),
      this.#group('Screen', this.#button('screen')),
    );
    stack.box.after(element, makeHelp(Object.values(this.tools)));
    this.#listen();
    this.#update();
  }

  /** @returns {Record<string, Tool>} */
  #viewTools() {
    const all = (/** @type {(viewer: Viewer) => void} */ act) => () => this.viewers.forEach(act);
    const [first] = this.viewers;
    return {
      out: { title: 'Zoom out', key: '-', act: all((viewer) => viewer.move((camera) => camera.zoomBy(1 / ZOOM_STEP))) },
      in: { title: 'Zoom in', key: '+', act: all((viewer) => viewer.move((camera) => camera.zoomBy(ZOOM_STEP))) },
      fit: { title: 'Fit', key: '0', act: all((viewer) => viewer.move((camera) => camera.fit())) },
      actual: {
        title: 'Original size, 1:1',
        key: '1',
        act: all((viewer) => viewer.move((camera) => camera.actualSize())),
      },
      invert: {
        title: 'Invert',
        key: 'i',
        act: all((viewer) => viewer.invert()),
        isPressed: () => first.isInverted,
        isOfGrey: true,
      },
      reset: { title: 'Reset window and zoom', key: 'r', act: all((viewer) => viewer.reset()) },
    };
  }

  /** @returns {Record<string, Tool>} */
  #modeTools() {
    const own = matchMedia('(pointer: coarse)').matches ? 'slices' : 'window';
    const tools = Object.entries(MODES).map(([mode, title]) => [
      mode,
      {
        title,
        key: mode[0],
        act: () => this.#setMode(/** @type {Mode} */ (mode)),
        isPressed: () => (this.viewers[0].mode ?? own) === mode,
      },
    ]);
    return Object.fromEntries(tools);
  }

  /** @returns {Record<string, Tool>} */
  #filmTools() {
    return {
      play: { title: 'Play', key: ' ', act: () => this.cine.toggle() },
      screen: { title: 'Full screen', key: 'f', act: () => this.#toggleScreen() },
    };
  }

  /** @param {string} label @param {HTMLElement[]} elements */
  #group(label, ...elements) {
    const group = make('span', { className: 'group' }, ...elements);
    group.setAttribute('role', 'group');
    group.setAttribute('aria-label', label);
    return group;
  }

  /** @param {string} name */
  #button(name) {
    const { key, act } = this.tools[name];
    const button = make('button', { type: 'button', onclick: act });
    button.setAttribute('aria-keyshortcuts', nameOfKey(key));
    button.dataset.tool = name;
    this.#buttons.set(name, button);
    this.#label(name, /** @type {Icon} */ (name), this.tools[name].title);
    return button;
  }

  /** @param {string} name @param {Icon} icon @param {string} title */
  #label(name, icon, title) {
    const button = /** @type {HTMLButtonElement} */ (this.#buttons.get(name));
    if (button.ariaLabel === title) return;
    button.ariaLabel = title;
    button.title = `${title} (${nameOfKey(this.tools[name].key)})`;
    button.replaceChildren(makeIcon(icon));
  }

  #listen() {
    for (const { canvas } of this.viewers) {
      canvas.addEventListener('viewchange', () => this.#update());
      canvas.addEventListener('keydown', (event) => {
        if (event.ctrlKey || event.metaKey || event.altKey) return;
        const key = event.key === '=' ? '+' : event.key.toLowerCase();
        const button = this.#buttons.get(Object.keys(this.tools).find((name) => this.tools[name].key === key) ?? '');
        if (!button) return;
        event.preventDefault();
        button.click();
      });
    }
    document.addEventListener('fullscreenchange', () => this.#update());
    this.stack.box.addEventListener('stackopen', () => this.cine.stop());
  }

  /** @param {Mode} mode */
  #setMode(mode) {
    for (const viewer of this.viewers) viewer.mode = mode;
    this.#update();
  }

  #choosePreset() {
    const preset = this.#presets[Number(this.windows.value)];
    if (preset) this.viewers[0].choose(preset.window);
  }

  /** @param {number} speed in frames a second */
  #setSpeed(speed) {
    this.cine.speed = Math.min(Math.max(speed || 1, 1), 60);
    this.speed.value = String(this.cine.speed);
  }

  #toggleScreen() {
    const change = document.fullscreenElement ? document.exitFullscreen() : this.view.requestFullscreen();
    change.catch(() => {}); // the browser refuses, and says why
  }

  // ------------------------------------------------------------------ state

  #update() {
    const [{ image }] = this.viewers;
    for (const [name, button] of this.#buttons) {
      const { isPressed, isOfGrey } = this.tools[name];
      button.disabled = !image || Boolean(isOfGrey && image.color);
      if (isPressed) button.setAttribute('aria-pressed', String(isPressed()));
    }
    this.#label('play', this.cine.isPlaying ? 'pause' : 'play', this.cine.isPlaying ? 'Pause' : 'Play');
    const isFull = document.fullscreenElement === this.view;
    this.#label('screen', isFull ? 'leave' : 'screen', isFull ? 'Leave full screen' : 'Full screen');
    /** @type {HTMLButtonElement} */ (this.#buttons.get('screen')).hidden = !document.fullscreenEnabled;
    if (image !== this.#image) this.#showImage(image);
    this.#showWindow();
  }

  /** Offer the windows and the speed of an image. @param {import('../pyloader.d.ts').Image | undefined} image */
  #showImage(image) {
    this.#image = image;
    this.#presets = image ? presetsOf(image) : [];
    const options = this.#presets.map(({ name }, index) => make('option', { value: String(index) }, name));
    this.windows.replaceChildren(make('option', { value: '', hidden: true }, 'Your window'), ...options);
    this.windows.disabled = !options.length;
    if (!image || this.#opened === this.stack.opened) return;
    this.#opened = this.stack.opened;
    this.#setSpeed(speedOf(image.imageId));
  }

  /** Show which of the offered windows the image has. */
  #showWindow() {
    const [{ window }] = this.viewers;
    const found = this.#presets.findIndex(
      ({ window: { center, width } }) => center === window?.center && width === window.width,
    );
    this.windows.value = found < 0 ? '' : String(found);
  }
}

/**
 * Give a viewer the tools of the page's section `.view`.
 * @param {Viewer} viewer @param {import('./controls.js').Stack} stack
 */
export function useTools(viewer, stack) {
  viewer.slices = stack;
  new Toolbar(/** @type {HTMLElement} */ (viewer.stage.closest('.view')), [viewer], stack);
}
