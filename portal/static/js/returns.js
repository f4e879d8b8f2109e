/* The preview shows what the family will read: the sentence that is chosen, then the clerk's own words.  Who takes an item out
   takes its words out too; they come back with it. */
const items = [...document.querySelectorAll("[data-item]")];
const shown = document.querySelector("[data-preview]");
const due = document.querySelector("[data-due]");
const empty = shown?.dataset.empty;
const between = document.documentElement.lang === "en" ? " " : "";

const sending = document.querySelector("[data-send]");
const tick = (item) => item.querySelector("input[type=checkbox]");
const own = (item) => item.querySelector("input[type=text]");
const sentence = (item) => item.querySelector("input[type=radio]:checked");
const none = (item) => item.querySelector("input[type=radio][value='']");

function preview() {
  const asked = items.filter((each) => tick(each).checked);
  shown.replaceChildren(...asked.map((each) => {
    const line = document.createElement("li");
    const name = document.createElement("b");
    name.textContent = each.dataset.item;
    const chosen = sentence(each)?.value ? sentence(each).nextElementSibling.textContent : "";
    line.append(name, document.createElement("br"), [chosen, own(each).value.trim()].filter(Boolean).join(between));
    return line;
  }));
  sending.textContent = asked.length ? sending.dataset.words.replace("{n}", asked.length) : sending.dataset.none;
  if (!asked.length) shown.append(Object.assign(document.createElement("li"), { className: "soft", textContent: empty }));
}

function takeOut(item) {
  item.dataset.words = own(item).value;
  item.dataset.sentence = sentence(item)?.value ?? "";
  own(item).value = "";
  if (none(item)) none(item).checked = true;
}

function takeIn(item) {
  own(item).value ||= item.dataset.words ?? "";
  const before = item.dataset.sentence && item.querySelector(`input[type=radio][value="${item.dataset.sentence}"]`);
  if (before && !sentence(item)?.value) before.checked = true;
}

document.addEventListener("change", (event) => {
  const item = event.target.closest("[data-item]");
  if (item && event.target.type === "radio" && event.target.value) tick(item).checked = true;
  if (item && event.target.type === "checkbox") (event.target.checked ? takeIn : takeOut)(item);
  if (item && shown) preview();
  const until = event.target.dataset.when;
  if (until && due) due.textContent = due.dataset.words.replace("{when}", until);
});
document.addEventListener("input", (event) => {
  const item = event.target.closest("[data-item]");
  if (item && event.target.type === "text" && event.target.value) tick(item).checked = true;
  if (item && shown) preview();
});
preview();
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.isComposing) document.querySelector("main .btn.plain[href]")?.click();
});
