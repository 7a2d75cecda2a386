/*
 * Scripts that run in the page, as texts: this program is not compiled for a browser.
 */

/** What can be used or is a part of the page, and has no name for a screen reader. */
export const WITHOUT_NAME = `[...document.querySelectorAll('button, input, a, table, dialog, section, [role=img]')]
  .filter((element) => {
    const ids = (element.getAttribute('aria-labelledby') ?? '').split(' ').filter(Boolean);
    const texts = [
      element.getAttribute('aria-label'),
      ...ids.map((id) => document.getElementById(id)?.textContent),
      ...[...(element.labels ?? [])].map((label) => label.textContent),
      ['BUTTON', 'A'].includes(element.tagName) ? element.textContent : '',
      element.tagName === 'SECTION' ? element.querySelector('h2')?.textContent : '',
    ];
    return element.closest('dialog:not([open])') === null && !texts.some((text) => text?.trim());
  })
  .map((element) => element.outerHTML.slice(0, 200))`;

/** Ids that two elements have, and references to ids that none has. */
export const BAD_IDS = `(() => {
  const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
  const twice = ids.filter((id, index) => ids.indexOf(id) !== index);
  const references = [...document.querySelectorAll('[for], [aria-labelledby], [aria-describedby]')].flatMap((element) =>
    ['for', 'aria-labelledby', 'aria-describedby'].flatMap((name) => (element.getAttribute(name) ?? '').split(' ')));
  return [...twice, ...references.filter((id) => id !== '' && !ids.includes(id))];
})()`;

/** Texts whose contrast to what is behind them is below 4.5, as WCAG asks for. */
export const LOW_CONTRAST = `(() => {
  const parts = (colour) => (colour.match(/[\\d.]+/g) ?? []).map(Number);
  const light = ([red, green, blue]) => {
    const [r, g, b] = [red, green, blue].map((part) => part / 255).map((part) =>
      part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let each = element; each !== null; each = each.parentElement) {
      const [red, green, blue, alpha = 1] = parts(getComputedStyle(each).backgroundColor);
      if (alpha === 1) return [red, green, blue];
    }
    return [255, 255, 255];
  };
  const own = (element) => [...element.childNodes].some(({ nodeType, data }) => nodeType === 3 && data.trim() !== '');
  return [...document.querySelectorAll('body *')]
    .filter((element) => own(element) && element.checkVisibility() && !element.closest('noscript, .skip'))
    .map((element) => {
      const [one, other] = [light(parts(getComputedStyle(element).color)), light(behind(element))];
      return { text: element.textContent.trim().slice(0, 60), ratio: (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05) };
    })
    .filter(({ ratio }) => ratio < 4.5);
})()`;

/** How many elements the check of the contrast looks at. */
export const HEADINGS = `[...document.querySelectorAll('h1, h2, h3')].filter((each) => each.checkVisibility()).map((each) => each.tagName + ' ' + each.textContent)`;

/** What is wider than the window. */
export const TOO_WIDE = `document.documentElement.scrollWidth - document.documentElement.clientWidth`;

/** Pretends that the page is hidden, or seen again. */
export const HIDE = (isHidden: boolean): string => `(() => {
  Object.defineProperty(document, 'hidden', { value: ${isHidden}, configurable: true });
  document.dispatchEvent(new Event('visibilitychange'));
})()`;
