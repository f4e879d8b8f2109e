/* What keeps a file from being checked: a word that the page has in its reader's language, and what belongs in it. */
export class Fault extends Error {
  constructor(word, values = {}) {
    super([word, ...Object.values(values)].join(" "));
    this.word = word;
    this.values = values;
  }
}
