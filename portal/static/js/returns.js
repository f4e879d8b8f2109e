/* A phrase fills the text, and the preview shows what the family will read.  Without scripts the phrase itself is sent. */
const items = [...document.querySelectorAll("[data-item]")];
const shown = document.querySelector("[data-preview]");
const due = document.querySelector("[data-due]");
const empty = shown?.textContent.trim();

function preview() {
  const asked = items.filter((each) => each.querySelector("input[type=checkbox]").checked);
  shown.replaceChildren(...asked.map((each) => {
    const line = document.createElement("li");
    const name = document.createElement("b");
    name.textContent = each.dataset.item;
    line.append(name, document.createElement("br"), each.querySelector("input[type=text]").value);
    return line;
  }));
  if (!asked.length) shown.textContent = empty;
}

document.addEventListener("change", (event) => {
  const item = event.target.closest("[data-item]");
  if (item && event.target.type === "radio") {
    item.querySelector("input[type=text]").value = event.target.nextElementSibling.textContent;
    item.querySelector("input[type=checkbox]").checked = true;
  }
  if (item && shown) preview();
  const until = event.target.dataset.when;
  if (until && due) due.textContent = due.dataset.words.replace("{when}", until);
});
document.addEventListener("input", (event) => {
  const item = event.target.closest("[data-item]");
  if (item && event.target.type === "text" && event.target.value) item.querySelector("input[type=checkbox]").checked = true;
  if (item && shown) preview();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.isComposing) document.querySelector("main .btn.plain[href]")?.click();
});
