/* A page was changed on another phone while this one kept answers to it. Each answer that differs stands here as both phones have it,
   and the reader chooses, one by one. What was saved last stands in the form until the other is chosen; nothing is sent by choosing. */

const put = (tag, more, ...inside) => { const made = Object.assign(document.createElement(tag), more); made.append(...inside); return made; };
const labelOf = (field) => field.labels?.[0]?.textContent.trim() ?? "";
const isBox = (field) => field.type === "radio" || field.type === "checkbox";

/* What a question is called: the legend of a group of boxes, else the label. */
function question([first, ...others]) {
  const group = isBox(first) && (others.length || first.type === "radio") ? first.closest("fieldset")?.querySelector("legend") : null;
  return (group?.textContent ?? labelOf(first)).trim();
}

/* An answer as a reader says it. `answers` has a value and whether it is ticked, for each field of the question. */
function said(fields, answers, words) {
  if (!isBox(fields[0])) {
    const [value] = answers[0], option = [...fields[0].options ?? []].find((each) => each.value === value);
    return (option?.textContent ?? value).trim() || words.empty;
  }
  if (fields.length === 1 && fields[0].type === "checkbox") return answers[0][1] ? words.yes : words.no;
  const ticked = answers.filter(([, checked]) => checked).map(([value]) => labelOf(fields.find((each) => each.value === value) ?? fields[0]));
  return ticked.join(words.joint) || words.empty;
}

function write(fields, answers) {
  for (const field of fields) {
    const found = isBox(field) ? answers.find(([value]) => value === field.value) : answers[0];
    if (!found) continue;
    if (isBox(field)) field.checked = found[1];
    else field.value = found[0];
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

/* Shows the questions in `place`; how many there are. `mayKeep` says of a field whether a draft has it. */
export function choose(place, form, draft, mayKeep) {
  const words = place.dataset, names = [...new Set(draft.fields.map(([name]) => name))];
  /* the choices are no part of the form that is saved */
  const own = put("form", { id: "draft-choice", hidden: true });
  document.body.append(own);
  let number = 0;
  for (const name of names) {
    const fields = [...form.elements].filter((field) => field.name === name && mayKeep(field));
    if (!fields.length) continue;
    const saved = fields.map((field) => [field.value, isBox(field) ? field.checked : true]);
    const here = draft.fields.filter(([each]) => each === name).map(([, value, checked]) => [value, checked]);
    const [theirs, ours] = [said(fields, saved, words), said(fields, here, words)];
    if (theirs === ours) continue;
    number += 1;
    const versions = [["saved", words.saved, theirs, saved], ["here", words.here, ours, here]].map(([kind, from, text, answers]) => {
      const id = `choice-${number}-${kind}`;
      const radio = put("input", { type: "radio", className: "govuk-radios__input", id, name: `choice-${number}`, checked: kind === "saved", onchange: () => write(fields, answers) });
      radio.setAttribute("form", own.id);
      return put("div", { className: "govuk-radios__item" }, radio, put("label", { className: "govuk-label govuk-radios__label", htmlFor: id }, put("b", { textContent: text }), ` ${from}`));
    });
    place.append(put("fieldset", { className: "govuk-fieldset" }, put("legend", { className: "govuk-fieldset__legend", textContent: question(fields) }), put("div", { className: "govuk-radios" }, ...versions)));
  }
  return number;
}
