/* Photos are made smaller before they travel, so that a slow connection carries them. The server does it again. */
const LONGEST = 1600;
for (const input of document.querySelectorAll("form[data-photos] input[type=file]")) {
  input.addEventListener("change", async () => {
    delete input.dataset.ready;
    const smaller = new DataTransfer();
    for (const file of input.files) smaller.items.add(await shrunk(file));
    input.files = smaller.files;
    input.dataset.ready = "1";
  });
}

export async function shrunk(file) {
  if (!file.type.startsWith("image/") || file.size < 700000) return file;
  try {
    const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
    const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
    const canvas = Object.assign(document.createElement("canvas"), { width: Math.round(picture.width * scale), height: Math.round(picture.height * scale) });
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.85));
    return blob && blob.size < file.size ? new File([blob], file.name.replace(/\.\w+$/, ".jpg"), { type: "image/jpeg" }) : file;
  } catch {
    return file; /* a format that this browser cannot read: the server can */
  }
}
