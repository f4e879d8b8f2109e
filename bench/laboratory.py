"""How long the policy laboratory takes: ranked variants and one with phases over invented families; prints JSON.

    python -m bench.laboratory --children 120000 --draws 10
    python -m bench.laboratory --whole

`twenty_variants_200_draws_s` is an extrapolation from these draws: 16 ranked variants, half of them with reserved places, and 4
with phases, each of which is drawn for three shares of careful families.  `--whole` makes all these draws.  `cpu` counts all threads; `wall` is of a machine that may have
other work.
"""

import argparse
import json
import os
import time

from enrollment.laboratory import experiment
from enrollment.laboratory.variants import Method, Reserve, Variant
from tests.support import laboratory_families

VARIANTS = {
    "ranked": Variant("ranked", wishes=5),
    "reserved": Variant("reserved", wishes=5, reserve=Reserve.FIRST),
    "phases": Variant("phases", Method.ONE_WISH, phases=2),
}
OF_TWENTY = {"ranked": 8, "reserved": 8, "phases": 4}
DRAWS = 200
CORES = 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--children", type=int, default=120_000)
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--whole", action="store_true", help="draw twenty variants 200 times instead of extrapolating")
    asked = parser.parse_args()
    small = laboratory_families.families(600, 12, zone=2, priority=True)
    families = laboratory_families.families(asked.children, asked.children // 50, zone=4, priority=True)
    found: dict[str, object] = {"children": families.children, "wishes": len(families.programme), "draws": asked.draws}
    if asked.whole:
        for variant in VARIANTS.values():
            experiment.run(small, variant, 4, 1, lambda _done: None, CORES)
        each = [
            measured(families, variant, DRAWS) for name, variant in VARIANTS.items() for _ in range(OF_TWENTY[name])
        ]
        whole = {kind: round(sum(one[kind] for one in each)) for kind in ("cpu", "wall")}
        print(json.dumps(found | {"draws": DRAWS, "twenty_variants_s": whole, "load": os.getloadavg()[0]}, indent=1))
        return
    total = {"cpu": 0.0, "wall": 0.0}
    for name, variant in VARIANTS.items():
        experiment.run(small, variant, 4, 1, lambda _done: None, CORES)  # compiled before the clock starts
        few, many = (measured(families, variant, draws) for draws in (2, asked.draws + 2))
        of_a_draw = {kind: (many[kind] - few[kind]) / asked.draws for kind in total}
        start = {kind: max(few[kind] - 2 * of_a_draw[kind], 0) for kind in total}
        found[name] = {"start_s": rounded(start), "draw_s": rounded(of_a_draw)}
        for kind in total:
            total[kind] += OF_TWENTY[name] * (start[kind] + DRAWS * of_a_draw[kind])
    found["twenty_variants_200_draws_s"] = {
        "cpu_on_two_cores": round(total["cpu"] / CORES),
        "wall": round(total["wall"]),
    }
    found["load"] = os.getloadavg()[0]
    print(json.dumps(found, indent=1))


def measured(families, variant: Variant, draws: int) -> dict[str, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    experiment.run(families, variant, draws, 1, lambda _done: None, CORES)
    return {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}


def rounded(values: dict[str, float]) -> dict[str, float]:
    return {kind: round(value, 3) for kind, value in values.items()}


if __name__ == "__main__":
    main()
