/* Photos of a plain form are made smaller before they travel. */
import { shrunk } from "./kept.js";

for (const input of document.querySelectorAll("form[data-photos] input[type=file]")) {
  input.addEventListener("change", async () => {
    delete input.dataset.ready;
    const smaller = new DataTransfer();
    for (const file of input.files) smaller.items.add(await shrunk(file));
    input.files = smaller.files;
    input.dataset.ready = "1";
  });
}
