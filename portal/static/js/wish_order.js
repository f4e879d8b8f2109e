/* Wishes can be dragged; the buttons stay. */
const list = document.querySelector("form[data-wishes] .wishes");
if (list && list.children.length > 1) {
  list.classList.add("draggable");
  let held = null;
  list.addEventListener("pointerdown", (event) => {
    if (!event.target.closest(".grip")) return;
    held = event.target.closest("li");
    held.classList.add("dragging");
    list.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  list.addEventListener("pointermove", (event) => {
    if (!held) return;
    const under = [...list.children].find((item) => item !== held && event.clientY > item.getBoundingClientRect().top && event.clientY < item.getBoundingClientRect().bottom);
    if (!under) return;
    const box = under.getBoundingClientRect();
    under[event.clientY < box.top + box.height / 2 ? "before" : "after"](held);
  });
  const drop = () => {
    if (!held) return;
    held.classList.remove("dragging");
    const before = list.dataset.order;
    held = null;
    if (order() !== before) send();
  };
  list.addEventListener("pointerup", drop);
  list.addEventListener("pointercancel", drop);
  list.dataset.order = order();
}

function order() {
  return [...document.querySelectorAll("input[name=wish]")].map((wish) => wish.value).join();
}

function send() {
  const form = document.querySelector("form[data-wishes]");
  form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "act", value: "order" }));
  form.requestSubmit();
}
