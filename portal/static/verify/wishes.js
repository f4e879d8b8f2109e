/* A family's wishes in words, one by one: its own numbers, the line, and why. */

import { element, numeral, say } from "./words.js";

export function showFamily(place, found, names) {
  if (!found) return place.replaceChildren(element("p", say("nobody")));
  const { ticket, bound, code, wishes } = found, granted = wishes.find(({ reason }) => reason === "placed");
  const values = { ticket: numeral(ticket), n: bound };
  const where = granted && nameOf(granted.programme, names);
  const result = granted ? say("result_placed", { n: granted.rank, where }) : say("result_none");
  const top = element("div", "", `says ${granted ? "ok" : ""}`);
  top.append(element("p", wishes.length ? result : say("no_wishes"), "verdict"));
  top.append(element("p", say(bound > 1 ? "found_bound" : "found_child", values)), element("p", code, "code"));
  const list = element("ol", "", "decided");
  for (const wish of wishes) list.append(oneWish(wish, ticket, names));
  return place.replaceChildren(top, list);
}

export function nameOf(programme, { programmes }) {
  const [name, level] = programmes[programme] || [programme, ""];
  return level ? say("place_and_level", { name, level: say(`level_${level}`) }) : name;
}

function oneWish(wish, ticket, names) {
  const row = element("li"), head = element("p", "", "row"), tone = { placed: "ok", placed_higher: "" }[wish.reason] ?? "grey";
  head.append(element("span", say(`reason_${wish.reason}`), `tag ${tone}`));
  row.append(element("h3", `${say("wish", { n: wish.rank })} · ${nameOf(wish.programme, names)}`), head);
  const decider = wish.pools.find(({ name }) => name === wish.pool);
  if (wish.reason !== "placed_higher" && decider?.ticket !== undefined && decider.state === "line" && !wish.guaranteed) row.append(compared(wish, ticket, decider));
  if (wish.tier !== wish.own && wish.reason !== "placed_higher") {
    row.append(element("p", say(wish.tier < wish.own ? "raised" : "lowered", { from: wish.own + 1, to: wish.tier + 1 }), "small"));
  }
  row.append(element("p", say(...why(wish, ticket, decider))));
  if (wish.pools.length > 1 && wish.reason !== "placed_higher") row.append(...partsOf(wish, names));
  return row;
}

function why({ reason, guaranteed, tier }, ticket, decider) {
  const line = decider?.state === "line" ? { cutoff_tier: decider.tier + 1, cutoff_ticket: numeral(decider.ticket ?? "") } : {};
  const values = { ...line, tier: tier + 1, ticket: numeral(ticket) };
  if (reason === "placed" && guaranteed) return ["why_placed_guaranteed", values];
  if (reason === "placed" && decider?.state === "all") return ["why_placed_all", values];
  const outside = reason === "ticket_after_cutoff" && decider.mine === false && !decider.eligible;
  return [`why_${reason}${outside ? "_outside" : ""}`, values];
}

/* Two numbers of the family above the two of the line. */
function compared({ tier }, ticket, line) {
  const table = element("table", "", "compared"), head = element("tr"), body = element("tbody");
  for (const text of ["", say("tier"), say("ticket")]) {
    const cell = element(text ? "th" : "td", text);
    if (text) cell.scope = "col";
    head.append(cell);
  }
  for (const [name, first, second] of [["yours", tier, ticket], ["the_line", line.tier, line.ticket]]) {
    const row = element("tr"), title = element("th", say(name));
    title.scope = "row";
    row.append(title, element("td", String(first + 1), "num"), element("td", numeral(second), "num"));
    body.append(row);
  }
  const top = element("thead");
  top.append(head);
  table.append(top, body);
  return table;
}

function partsOf({ programme, pools, pool }, { pools: poolNames }) {
  const list = element("ol", "", "parts small");
  for (const part of pools) {
    const name = part.name === "general" ? say("general") : poolNames[`${programme}/${part.name}`] || part.name;
    const row = element("li", `${name}${say("colon")}${lineOf(part)}`);
    if (part.name === pool) row.className = "here";
    list.append(row);
  }
  return [element("p", say("pools_in_order"), "small soft"), list];
}

function lineOf(part) {
  if (!part.asked && part.places > 0) return say("pool_others");
  if (part.state === "all") return say("pool_all");
  if (part.asked && (!part.state || (part.state === "line" && part.ticket === undefined))) return say("pool_hidden");
  if (part.state === "none") return say("pool_none");
  const word = part.eligible && !part.mine ? "pool_line_others" : part.eligible ? "pool_line" : "pool_outside";
  return say(word, { tier: part.tier + 1, ticket: numeral(part.ticket) });
}
