/* Words of the reader's language, from the page, and elements to put them in. */

export const find = (id) => document.getElementById(id);

const words = Object.fromEntries(
  [...find("words").content.querySelectorAll("[data-word]")].map((each) => [each.dataset.word, each.textContent]),
);

export function say(word, values = {}) {
  return Object.entries(values).reduce((text, [key, value]) => text.replaceAll(`{${key}}`, () => value), words[word] || word);
}

/* As on the other pages: groups of three, apart by a narrow space. */
export function numeral(value) {
  return String(value).replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f");
}

export function element(name, text = "", className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}
