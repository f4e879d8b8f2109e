/* Single keys of a page.  Each does what a visible button or link does.  They are silent while a field has the focus or an
   input method composes, and can be switched off, for people who dictate or whose keys slip (WCAG 2.1.4). */
const list = document.getElementById("keys");
const wanted = document.getElementById("keys-on");

if (wanted) {
  wanted.checked = localStorage.getItem("keys") !== "off";
  wanted.addEventListener("change", () => localStorage.setItem("keys", wanted.checked ? "on" : "off"));
}

function writes(target) {
  return Boolean(target.closest?.("input:not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable]"));
}

/* `act(key, event)` returns true if the page did something with the key. */
export function onKeys(act) {
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229 || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (writes(event.target) || (wanted && !wanted.checked)) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (key === "?" && list) {
      list.open = !list.open;
      list.querySelector("summary").focus();
      event.preventDefault();
      return;
    }
    if (act(key, event)) event.preventDefault();
  });
}

/* The button, link or field with this key, if the page shows one. */
export function withKey(key) {
  return [...document.querySelectorAll("[data-key]")].find((each) => each.dataset.key === key && each.offsetParent);
}
