/* The map of the finder: outlines of the districts, tiles where the city has them, pins with the numbers of the list. */
const box = document.getElementById("map");
const NATURES = { u: "", n: "i", r: "r" };
const APART = 52, CLOSEST = 17;
const script = document.createElement("script");
script.src = box.dataset.library;
script.onload = () => draw().catch(() => { box.hidden = true; });
box.hidden = false;
document.head.append(script);

async function draw() {
  const { L } = window;
  const [outlines, found] = await Promise.all([box.dataset.outlines, box.dataset.pins].map(async (address) => (await fetch(address)).json()));
  const map = L.map(box, { attributionControl: false, minZoom: 8, maxZoom: CLOSEST, zoomControl: false, zoomSnap: 0.5, zoomAnimation: !matchMedia("(prefers-reduced-motion: reduce)").matches });
  L.control.zoom({ zoomInTitle: box.dataset.nearer, zoomOutTitle: box.dataset.wider }).addTo(map);
  if (box.dataset.tiles) for (const layer of ["vec", "cva"]) L.tileLayer(box.dataset.tiles.replace("LAYER", layer), { maxZoom: CLOSEST }).addTo(map);
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
    const last = map.getZoom() >= CLOSEST;
    shown.clearLayers();
    for (const group of groups(pins, map)) {
      const whole = group.length > 1 && !last;
      const points = whole ? [place(group[0])] : spread(group, map);
      points.forEach((point, at) => {
        const marker = whole ? cluster(group, map) : pinOf(group[at]);
        marker.setLatLng(point).addTo(shown);
        if (focused.has(group[at][3])) { focused.clear(); marker.getElement().focus({ preventScroll: true }); }
      });
    }
    names(districts, map);
  };
  map.on("moveend", show);
  show();
  box.dataset.drawn = pins.length;
}

const place = ([longitude, latitude]) => [latitude, longitude];

/* The name of a district in its middle, or somewhat above or below, where it covers no mark and no other name; the larger come first. */
function names(districts, map) {
  const taken = [...box.querySelectorAll(".leaflet-marker-icon .mark b")].map((each) => each.getBoundingClientRect());
  const height = (layer) => map.latLngToLayerPoint(layer.getBounds().getSouthWest()).y - map.latLngToLayerPoint(layer.getBounds().getNorthEast()).y;
  const named = districts.getLayers().filter((layer) => layer.getTooltip()).sort((one, other) => height(other) - height(one));
  for (const layer of named) {
    const label = layer.getTooltip().getElement();
    label.style.visibility = "hidden";
    for (const away of [0, -28, 28, -56, 56, -84, 84].filter((each) => Math.abs(each) < height(layer) / 3)) {
      label.style.marginTop = `${away}px`;
      const here = label.getBoundingClientRect();
      if (taken.some((each) => each.right >= here.left && each.left <= here.right && each.bottom >= here.top && each.top <= here.bottom)) continue;
      label.style.visibility = "";
      taken.push(here);
      break;
    }
  }
}

/* Pins that would stand on each other, together; no two groups are nearer than APART, so that a thumb finds each. */
function groups(pins, map) {
  const view = map.getBounds().pad(0.2), cells = new Map(), found = [];
  for (const pin of pins) {
    if (!view.contains(place(pin))) continue;
    const at = map.project(place(pin)), x = Math.floor(at.x / APART), y = Math.floor(at.y / APART);
    let near = null, least = APART;
    for (let column = x - 1; column <= x + 1; column += 1) for (let row = y - 1; row <= y + 1; row += 1) {
      const each = cells.get(`${column},${row}`);
      for (const group of each ?? []) if (group.at.distanceTo(at) < least) { near = group; least = group.at.distanceTo(at); }
    }
    if (near) { near.pins.push(pin); continue; }
    const group = { at, pins: [pin] }, key = `${x},${y}`;
    if (cells.has(key)) cells.get(key).push(group); else cells.set(key, [group]);
    found.push(group);
  }
  return found.map((group) => group.pins);
}

/* Where pins that stay together at the closest look stand: side by side around their middle. */
function spread(group, map) {
  if (group.length === 1) return [place(group[0])];
  const middle = map.project(window.L.latLngBounds(group.map(place)).getCenter());
  const far = APART / 2 / Math.sin(Math.PI / group.length);
  return group.map((_, at) => {
    const turn = (2 * Math.PI * at) / group.length - Math.PI / 2;
    return map.unproject(middle.add([far * Math.cos(turn), far * Math.sin(turn)]));
  });
}

const focused = new Set();
function cluster(group, map) {
  const { L } = window, name = `${group.length} ${box.dataset.group}`;
  const marker = L.marker([0, 0], { icon: icon("group", `×${group.length}`), title: name, alt: name });
  return pressed(marker, () => {
    /* the reader of a keyboard stays with these pins */
    if (marker.getElement() === document.activeElement) for (const pin of group) focused.add(pin[3]);
    map.fitBounds(L.latLngBounds(group.map(place)).pad(0.2), { maxZoom: CLOSEST });
  });
}

/* Leaflet gives a mark the focus of the keyboard, and leaves its keys to us. */
function pressed(marker, act) {
  return marker.on("click", act).on("keydown", ({ originalEvent: pressing }) => {
    if (pressing.key !== "Enter" && pressing.key !== " ") return;
    pressing.preventDefault();
    act();
  });
}

function pinOf([, , nature, number]) {
  const name = [number, box.dataset[nature]].filter(Boolean).join(" · ");
  const marker = window.L.marker([0, 0], { icon: icon(NATURES[nature] ?? "", number), title: name, alt: name });
  pressed(marker, () => tell(number, marker));
  if (number === chosen.number) marker.on("add", () => choose(number, marker));
  return marker;
}

function icon(kind, text) {
  const mark = document.createElement("span");
  mark.className = `mark ${kind}`;
  mark.append(Object.assign(document.createElement("b"), {}));
  mark.firstChild.append(Object.assign(document.createElement("i"), { textContent: text }));
  return window.L.divIcon({ html: mark, className: "", iconSize: [44, 44] });
}

const chosen = { number: null, mark: null };
function choose(number, marker) {
  chosen.mark?.classList.remove("chosen");
  Object.assign(chosen, { number, mark: marker.getElement().firstChild });
  chosen.mark.classList.add("chosen");
}

async function tell(number, marker) {
  choose(number, marker);
  if (!box.dataset.card) {
    /* the cards are those of the list: on this page or on another one */
    const here = document.querySelector(`[data-number="${number}"]`);
    if (here) { here.scrollIntoView({ block: "center" }); here.querySelector("a, input").focus({ preventScroll: true }); return; }
    if (!box.dataset.list) return;
    const page = Math.ceil(number / box.dataset.perPage);
    location.assign(`${box.dataset.list}${box.dataset.list.includes("?") ? "&" : "?"}page=${page}`);
    return;
  }
  const answer = await fetch(`${box.dataset.card}${box.dataset.card.includes("?") ? "&" : "?"}number=${number}`);
  if (!answer.ok) return;
  const card = document.getElementById("pin-card");
  card.innerHTML = await answer.text();
  card.scrollIntoView({ block: "nearest" });
}
