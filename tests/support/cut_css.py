"""Cuts govuk-frontend's style sheet to what our templates use: python -m tests.support.cut_css writes `css/govuk.css`.

The whole sheet stays among the vendored files, as the source.  A rule stays if one of its selectors needs only classes whose
block, element and modifier stand somewhere in the templates; `{{ css }}__item` and `"--error"` count, because macros put
class names together.
"""

import re
from pathlib import Path

import tinycss2
from tinycss2.ast import AtRule, Node, QualifiedRule

ROOT = Path(__file__).parents[2]
WHOLE = ROOT / "portal/static/vendor/govuk-frontend-6.6.0/govuk-frontend.min.css"
CUT = ROOT / "portal/static/css/govuk.css"

HEAD = "/* Cut from govuk-frontend 6.6.0 (MIT, vendor/govuk-frontend-6.6.0/LICENSE.txt) by tests/support/cut_css.py: do not edit. */\n"
CLASS = re.compile(r"\.((?:\\.|[\w-])+)")
PARTS = re.compile(r"^(?P<block>[a-z0-9-]+?)(?:__(?P<element>[a-z0-9-]+?))?(?:--(?P<modifier>[a-z0-9-]+))?$")


def used_text() -> str:
    folders = [ROOT / "templates", ROOT / "portal"]
    files = (path for folder in folders for path in folder.rglob("*") if path.suffix in (".html", ".py", ".js"))
    return "\n".join(path.read_text("utf-8") for path in files if "static/vendor" not in str(path))


class Cutter:
    def __init__(self, text: str):
        self.blocks = set(re.findall(r"govuk-[a-z0-9]+(?:-[a-z0-9]+)*", text))
        self.elements = set(re.findall(r"__([a-z0-9-]+?)(?=[^a-z0-9-]|--|$)", text))
        self.modifiers = set(re.findall(r"--([a-z0-9-]+)", text))

    def is_used(self, name: str) -> bool:
        parts = PARTS.match(name)
        if parts is None or parts["block"] not in self.blocks:
            return False
        return (parts["element"] is None or parts["element"] in self.elements) and (
            parts["modifier"] is None or parts["modifier"] in self.modifiers
        )

    def rules(self, nodes: list[Node]) -> str:
        return "".join(self._rule(node) for node in nodes)

    def _rule(self, node: Node) -> str:
        if isinstance(node, QualifiedRule):
            selectors = tinycss2.serialize(node.prelude).split(",")  # no selector of the sheet has a comma inside
            kept = [each for each in selectors if all(self.is_used(name) for name in CLASS.findall(each))]
            return f"{','.join(kept)}{{{tinycss2.serialize(node.content)}}}" if kept else ""
        if isinstance(node, AtRule) and node.at_keyword in ("media", "supports") and node.content is not None:
            inside = self.rules(tinycss2.parse_rule_list(node.content, skip_whitespace=True, skip_comments=True))
            return f"@{node.at_keyword}{tinycss2.serialize(node.prelude)}{{{inside}}}" if inside else ""
        return ""  # fonts and animations that we do not use


def cut() -> str:
    nodes = tinycss2.parse_stylesheet(WHOLE.read_text("utf-8"), skip_whitespace=True, skip_comments=True)
    return HEAD + Cutter(used_text()).rules(nodes) + "\n"


if __name__ == "__main__":
    CUT.write_text(cut(), "utf-8")
