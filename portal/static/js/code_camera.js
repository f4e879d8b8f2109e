/* Reads QR codes with the camera.  The browser's own detector is used where there is one that knows QR codes; Safari, Firefox and Chromium on
   Windows and Linux have none, and there the vendored reader (qr, Apache-2.0 or MIT) does it.  It is loaded as soon as the page has time for
   it, because a tablet at the door may be without a network when somebody presses the button. */

const LONGEST_SIDE = 960, PAUSE = 150;

async function ownDetector() {
  const kinds = await window.BarcodeDetector?.getSupportedFormats?.().catch(() => []);
  if (!kinds?.includes("qr_code")) return null;
  const detector = new window.BarcodeDetector({ formats: ["qr_code"] });
  return async (video) => (await detector.detect(video))[0]?.rawValue ?? "";
}

async function vendoredReader(address) {
  const { decodeQR } = await import(address);
  const canvas = document.createElement("canvas"), pen = canvas.getContext("2d", { willReadFrequently: true });
  return async (video) => {
    const scale = Math.min(1, LONGEST_SIDE / Math.max(video.videoWidth, video.videoHeight, 1));
    canvas.width = Math.round(video.videoWidth * scale);
    canvas.height = Math.round(video.videoHeight * scale);
    if (!canvas.width) return "";
    pen.drawImage(video, 0, 0, canvas.width, canvas.height);
    try {
      return decodeQR(pen.getImageData(0, 0, canvas.width, canvas.height));
    } catch {
      return "";  // no code in this picture
    }
  };
}

/* `box` holds a video, a button that ends it and a place for what went wrong; `found` takes the text of a code. */
export function codeCamera(button, box, address, found) {
  if (!navigator.mediaDevices?.getUserMedia) return;
  const video = box.querySelector("video"), fault = box.querySelector("[data-fault]");
  let reader = null, stream = null;
  const ready = () => (reader ??= ownDetector().then((own) => own ?? vendoredReader(address)).catch((why) => { reader = null; throw why; }));
  ready().catch(() => {});  // without a network now, it is asked for again when it is needed
  button.hidden = false;

  function close() {
    for (const each of stream?.getTracks() ?? []) each.stop();
    stream = null;
    video.srcObject = null;
    box.hidden = true;
  }

  function fail(words) {
    fault.textContent = words;
    fault.hidden = false;
    video.hidden = true;
  }

  box.querySelector("button").addEventListener("click", () => { close(); button.focus(); });
  addEventListener("pagehide", close);
  document.addEventListener("visibilitychange", () => { if (document.hidden) close(); });

  button.addEventListener("click", async () => {
    if (!box.hidden) return;
    [box.hidden, fault.hidden, video.hidden] = [false, true, false];
    box.querySelector("button").focus();
    let read;
    try {
      read = await ready();
    } catch {
      return fail(box.dataset.notReady);
    }
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } } });
    } catch {
      return fail(box.dataset.noCamera);
    }
    if (box.hidden) return close();  // it was closed while the browser asked
    video.srcObject = stream;
    await video.play().catch(() => {});
    while (!box.hidden) {
      const text = await read(video).catch(() => "");
      if (text && !box.hidden) { close(); found(text); break; }
      await new Promise((go) => setTimeout(go, PAUSE));
    }
  });
}
