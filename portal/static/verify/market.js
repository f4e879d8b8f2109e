/* Reads the files of a market into columns. Faults are for the maker of the file; here one is enough to stop. */

const LEVELS = ["nursery", "lower", "middle", "upper"];

export class BadMarket extends Error {}

/* Codes stand in the order of their UTF-8 bytes, which is that of code points, not of a string's 16-bit units. */
export function byCode(a, b) {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    let x = a.charCodeAt(i), y = b.charCodeAt(i);
    if (x === y) continue;
    if (x >= 0xd800 && y >= 0xd800) {
      x = x >= 0xe000 ? x - 0x800 : x + 0x2000;
      y = y >= 0xe000 ? y - 0x800 : y + 0x2000;
    }
    return x - y;
  }
  return a.length - b.length;
}

function lines(bytes) {
  const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  return (text.endsWith("\n") ? text.slice(0, -1) : text).split("\n");
}

/* Calls `each(cells, index)` for every row, the cells in the order of `columns`. Returns the number of rows. */
function readRows(files, name, columns, each) {
  const bytes = files.get(name);
  if (!bytes) throw new BadMarket(`${name}: missing`);
  const all = lines(bytes);
  const header = all[0].split(",");
  const order = columns.map((column) => header.indexOf(column));
  if (order.includes(-1)) throw new BadMarket(`${name}: a column is missing`);
  for (let row = 1; row < all.length; row++) {
    const cells = all[row].split(",");
    if (cells.length !== header.length) throw new BadMarket(`${name}: row ${row + 1} is broken`);
    each(order.map((at) => cells[at]), row - 1);
  }
  return all.length - 1;
}

function lookUp(index, code, name) {
  const found = index.get(code);
  if (found === undefined) throw new BadMarket(`${name}: ${code} is unknown`);
  return found;
}

export function readMarket(files) {
  const head = JSON.parse(new TextDecoder().decode(files.get("market.json") || new Uint8Array()) || "{}");
  if (head.format !== "market/1") throw new BadMarket("market.json: not a market");
  const programmes = readProgrammes(files);
  const children = readChildren(files, programmes);
  readPools(files, programmes);
  const wishes = readWishes(files, programmes, children);
  const ticket = files.has("tickets.csv") ? readTickets(files, children) : null;
  return { head, close: head.pair_rule === "close", programmes, children, wishes, ticket };
}

function readProgrammes(files) {
  const found = { code: [], home: [], level: [], places: [], siblingTier: [], pools: [], index: new Map() };
  const columns = ["programme", "kindergarten", "level", "places", "sibling_tier"];
  readRows(files, "programmes.csv", columns, ([code, home, level, places, sibling], row) => {
    found.code.push(code);
    found.home.push(home);
    found.level.push(LEVELS.indexOf(level));
    found.places.push(Number(places));
    found.siblingTier.push(sibling === "" ? -1 : Number(sibling));
    found.pools.push([]);
    found.index.set(code, row);
  });
  return found;
}

/* Every programme's pools in precedence order; what they leave is the general pool, last unless it is listed. */
function readPools(files, programmes) {
  const columns = ["programme", "pool", "precedence", "places", "groups", "unclaimed"];
  if (files.has("pools.csv")) {
    readRows(files, "pools.csv", columns, ([code, name, precedence, places, groups, unclaimed]) => {
      programmes.pools[lookUp(programmes.index, code, "pools.csv")].push({
        name, precedence: Number(precedence), places: places === "" ? null : Number(places),
        groups: groups === "" ? null : new Set(groups.split(";")), locked: unclaimed === "locked",
      });
    });
  }
  programmes.pools.forEach((pools, p) => {
    const rest = programmes.places[p] - pools.reduce((sum, pool) => sum + (pool.places || 0), 0);
    for (const pool of pools) if (pool.places === null) pool.places = rest;
    pools.sort((a, b) => a.precedence - b.precedence);
    if (!pools.some((pool) => pool.name === "general") && (rest > 0 || pools.length === 0)) {
      pools.push({ name: "general", places: rest, groups: null, locked: false });
    }
  });
}

function readChildren(files, programmes) {
  const found = { code: [], family: [], unit: [], groups: [], elder: [], current: [], index: new Map() };
  const elders = [];
  const columns = ["child", "family", "unit", "groups", "elder", "current"];
  readRows(files, "children.csv", columns, ([code, family, unit, groups, elder, current], row) => {
    found.code.push(code);
    found.family.push(family);
    found.unit.push(unit);
    found.groups.push(groups === "" ? null : groups.split(";"));
    found.current.push(current === "" ? -1 : lookUp(programmes.index, current, "children.csv"));
    found.index.set(code, row);
    elders.push(elder);
  });
  found.elder = elders.map((code) => (code === "" ? -1 : lookUp(found.index, code, "children.csv")));
  return found;
}

/* The wishes of child i are programme[start[i]] to programme[start[i + 1]], best first. */
function readWishes(files, programmes, children) {
  const held = lines(files.get("wishes.csv") || new Uint8Array()).length;
  const rows = { child: new Int32Array(held), rank: new Int32Array(held), programme: new Int32Array(held), tier: new Uint8Array(held) };
  const start = new Int32Array(children.code.length + 1);
  const count = readRows(files, "wishes.csv", ["child", "rank", "programme", "tier"], ([code, rank, programme, tier], row) => {
    rows.child[row] = lookUp(children.index, code, "wishes.csv");
    rows.rank[row] = Number(rank);
    rows.programme[row] = lookUp(programmes.index, programme, "wishes.csv");
    rows.tier[row] = Number(tier);
    start[rows.child[row] + 1]++;
  });
  for (let child = 0; child < children.code.length; child++) start[child + 1] += start[child];
  const programme = new Int32Array(count).fill(-1), tier = new Uint8Array(count);
  for (let row = 0; row < count; row++) {
    const child = rows.child[row], at = start[child] + rows.rank[row] - 1;
    if (at < start[child] || at >= start[child + 1] || programme[at] !== -1) throw new BadMarket("wishes.csv: wrong ranks");
    programme[at] = rows.programme[row];
    tier[at] = rows.tier[row];
  }
  return { start, programme, tier };
}

function readTickets(files, children) {
  const ticket = new Float64Array(children.code.length).fill(-1);
  readRows(files, "tickets.csv", ["child", "ticket"], ([code, number]) => {
    ticket[lookUp(children.index, code, "tickets.csv")] = Number(number);
  });
  if (ticket.includes(-1)) throw new BadMarket("tickets.csv: a child has no ticket");
  return ticket;
}
