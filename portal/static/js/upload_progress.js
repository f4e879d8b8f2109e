import { lasting } from "./kept.js";

/* A photo that is being sent says in the list how far it is and how long it still takes; above the button that leads on from the papers
   it is said of all that wait, because nobody has to stay for them. */
export function underWay({ photo, percent, left, all: seconds, count }, list, rest) {
  const size = list?.querySelector(`[data-id="${CSS.escape(photo.id)}"] small`), time = lasting(left, list?.dataset);
  if (size) size.textContent = time ? `${percent}% · ${time}` : `${percent}%`;
  if (!rest) return;
  rest.hidden = seconds === null;
  rest.textContent = `${document.getElementById("papers").dataset.sends} ${count} · ${lasting(seconds, list.dataset)}`;
}
