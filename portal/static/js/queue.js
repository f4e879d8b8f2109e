/* Keys of the queue: J and K move through the lines, Enter opens one, digits go to a group, / to the search. */
import { onKeys, withKey } from "./keys.js";

let at = -1;

function lines() {
  return [...document.querySelectorAll("[data-line]")].filter((each) => each.offsetParent);
}

function go(step) {
  const all = lines();
  if (!all.length) return;
  all[at]?.classList.remove("current");
  at = Math.max(0, Math.min(all.length - 1, at + step));
  all[at].classList.add("current");
  all[at].querySelector("a").focus({ preventScroll: true });
  all[at].scrollIntoView({ block: "nearest" });
}

onKeys((key) => {
  if (key === "j") go(1);
  else if (key === "k") go(-1);
  else if (/^[1-9]$/.test(key)) document.querySelector(`[data-group="${key}"]`)?.click();
  else if (key === "/") withKey("/")?.select();
  else if (key === "n") withKey("n")?.click();
  else return false;
  return true;
});
