export const DOM_SCRIPT = String.raw`
/**
 * Makes an element. Texts go in as texts, never as HTML.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, string>} [attributes]
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** @param {string} id @returns {HTMLElement} */
export function byId(id) {
  const element = document.getElementById(id);
  if (element === null) throw new Error('There is no element ' + id);
  return element;
}

/** @param {string} id @returns {HTMLInputElement} */
export function inputById(id) {
  return /** @type {HTMLInputElement} */ (byId(id));
}

/** Changes nothing where it is so already: a screen reader and a selection notice every change. @param {Element} element @param {string} text */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** @param {Element} element @param {string} name @param {string | undefined} value */
export function setAttribute(element, name, value) {
  if (value === undefined) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** A row of a table that is a table for screen readers also where its style is that of a card. @param {HTMLElement[]} cells */
export function makeTableRow(...cells) {
  const row = make('tr', { role: 'row' }, ...cells);
  for (const cell of cells) cell.setAttribute('role', cell.tagName === 'TH' ? 'rowheader' : 'cell');
  return row;
}

/** @param {string} label What the column is called, where rows are cards. @param {(Node | string)[]} children */
export function makeCell(label, ...children) {
  return make('td', { 'data-label': label }, ...children);
}

/**
 * What shows one row of data.
 * @typedef {object} View
 * @property {HTMLElement} element
 * @property {(data: any, now: number) => void} update
 * @property {(now: number) => void} tick Called each second.
 * @property {() => string} words What a filter looks at.
 */

/** Shows rows of data, in the order of their ids, each in an element of its own that stays in its place. */
export class Rows {
  /** @type {Map<string, View>} */
  #views = new Map();
  #words = /** @type {string[]} */ ([]);

  /** @param {HTMLElement} container @param {() => View} makeView */
  constructor(container, makeView) {
    this.container = container;
    this.makeView = makeView;
  }

  get size() {
    return this.#views.size;
  }

  get shown() {
    return [...this.#views.values()].filter(({ element }) => !element.hidden).length;
  }

  /** Rows with other ids go. @param {Record<string, object>} set */
  keepOnly(set) {
    for (const id of [...this.#views.keys()]) if (!Object.hasOwn(set, id)) this.#remove(id);
  }

  /** @param {Record<string, object>} set @param {string[]} gone @param {number} now */
  change(set, gone, now) {
    for (const id of gone) this.#remove(id);
    let isNew = false;
    for (const [id, data] of Object.entries(set)) {
      let view = this.#views.get(id);
      if (view === undefined) {
        view = this.makeView();
        this.#views.set(id, view);
        isNew = true;
      }
      view.update(data, now);
      this.#show(view);
    }
    if (isNew) this.#place();
  }

  /** @param {string[]} words All of them must be in a row. */
  filter(words) {
    this.#words = words;
    for (const view of this.#views.values()) this.#show(view);
  }

  /** @param {number} now */
  tick(now) {
    for (const view of this.#views.values()) if (!view.element.hidden) view.tick(now);
  }

  /** @param {string} id */
  #remove(id) {
    this.#views.get(id)?.element.remove();
    this.#views.delete(id);
  }

  /** @param {View} view */
  #show(view) {
    const text = view.words().toLowerCase();
    const isHidden = !this.#words.every((word) => text.includes(word));
    if (view.element.hidden !== isHidden) view.element.hidden = isHidden;
  }

  /** Moves only what is not in its place: an element that is moved loses the focus. */
  #place() {
    this.#views = new Map([...this.#views].sort(([one], [other]) => (one < other ? -1 : 1)));
    let place = this.container.firstElementChild;
    for (const { element } of this.#views.values()) {
      if (element === place) place = place.nextElementSibling;
      else this.container.insertBefore(element, place);
    }
  }
}
`;
