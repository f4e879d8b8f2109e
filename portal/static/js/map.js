/* The map of the finder: outlines of the districts, tiles where the city has them, pins with the numbers of the list. */
const box = document.getElementById("map");
const NATURES = { u: "", n: "i", r: "r" };
const CELL = 52;
const script = document.createElement("script");
script.src = box.dataset.library;
script.onload = () => draw().catch(() => { box.hidden = true; });
box.hidden = false;
document.head.append(script);

async function draw() {
  const { L } = window;
  const [outlines, found] = await Promise.all([box.dataset.outlines, box.dataset.pins].map(async (address) => (await fetch(address)).json()));
  const map = L.map(box, { attributionControl: false, minZoom: 8, maxZoom: 17, zoomSnap: 0.5, zoomAnimation: !matchMedia("(prefers-reduced-motion: reduce)").matches });
  if (box.dataset.tiles) for (const layer of ["vec", "cva"]) L.tileLayer(box.dataset.tiles.replace("LAYER", layer), { maxZoom: 17 }).addTo(map);
  const districts = L.geoJSON(outlines, {
    interactive: false,
    style: { color: "#8f8878", weight: 1.2, fillColor: "#f5f2ea", fillOpacity: box.dataset.tiles ? 0 : 1 },
    onEachFeature: (feature, layer) => { if (!box.dataset.tiles) layer.bindTooltip(feature.properties.name, { permanent: true, direction: "center", className: "district" }); },
  }).addTo(map);
  const pins = found.lon.flatMap((longitude, at) => (longitude === null || found.lat[at] === null ? [] : [[longitude / 1e4, found.lat[at] / 1e4, found.nature[at], at + 1]]));
  const spots = pins.map(([longitude, latitude]) => [latitude, longitude]);
  if (found.start) spots.push([found.start[1], found.start[0]]);
  map.fitBounds(spots.length ? L.latLngBounds(spots).pad(0.1) : districts.getBounds(), { maxZoom: 15 });
  if (found.start) {
    L.marker([found.start[1], found.start[0]], { icon: icon("you", box.dataset.you), interactive: false, keyboard: false }).addTo(map);
    for (const minutes of [15, 30]) L.circle([found.start[1], found.start[0]], { radius: minutes * 75 / 1.3, color: "#0b5563", weight: 1.4, dashArray: "3 5", fill: false, interactive: false }).addTo(map);
  }
  const shown = L.layerGroup().addTo(map);
  const show = () => {
    shown.clearLayers();
    const view = map.getBounds().pad(0.2);
    const cells = new Map();
    for (const pin of pins) {
      if (!view.contains([pin[1], pin[0]])) continue;
      const at = map.project([pin[1], pin[0]]);
      const key = `${Math.floor(at.x / CELL)},${Math.floor(at.y / CELL)}`;
      if (cells.has(key)) cells.get(key).push(pin); else cells.set(key, [pin]);
    }
    for (const group of cells.values()) {
      if (group.length > 1 && map.getZoom() < 17) {
        const middle = L.latLngBounds(group.map(([longitude, latitude]) => [latitude, longitude]));
        L.marker(middle.getCenter(), { icon: icon("group", `×${group.length}`), title: `${group.length} ${box.dataset.group}`, alt: `${group.length} ${box.dataset.group}` })
          .on("click", () => map.fitBounds(middle.pad(0.2), { maxZoom: 17 })).addTo(shown);
      } else for (const pin of group) {
        L.marker([pin[1], pin[0]], { icon: icon(NATURES[pin[2]], pin[3]), title: String(pin[3]), alt: String(pin[3]) }).on("click", (event) => tell(pin[3], event.target)).addTo(shown);
      }
    }
  };
  map.on("moveend", show);
  show();
  box.dataset.drawn = pins.length;
}

function icon(kind, text) {
  const mark = document.createElement("span");
  mark.className = `mark ${kind}`;
  mark.append(Object.assign(document.createElement("b"), {}));
  mark.firstChild.append(Object.assign(document.createElement("i"), { textContent: text }));
  return window.L.divIcon({ html: mark, className: "", iconSize: [44, 44] });
}

let chosen = null;
async function tell(number, marker) {
  chosen?.classList.remove("chosen");
  chosen = marker.getElement()?.firstChild;
  chosen?.classList.add("chosen");
  if (!box.dataset.card) {
    /* the cards are those of the list: on this page or on another one */
    const here = document.querySelector(`[data-number="${number}"]`);
    if (here) { here.scrollIntoView({ block: "center" }); here.querySelector("a").focus({ preventScroll: true }); return; }
    const page = Math.ceil(number / box.dataset.perPage);
    location.assign(`${box.dataset.list}${box.dataset.list.includes("?") ? "&" : "?"}page=${page}`);
    return;
  }
  const answer = await fetch(`${box.dataset.card}${box.dataset.card.includes("?") ? "&" : "?"}number=${number}`);
  if (answer.ok) document.getElementById("pin-card").innerHTML = await answer.text();
}
