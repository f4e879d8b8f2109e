"""What a run gives out: the public file, the opening of each family, and the settings with which an auditor makes them again.

Nothing of a child can be read out of the public file; `allocation.files.publication` has the reasons.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import column, select, table, update
from sqlalchemy.orm import Session

from allocation import lottery
from allocation.arrays import Array
from allocation.files import opening, public_file
from allocation.files.bundle import DrawRecord2
from allocation.files.opening import Openings
from allocation.files.publication import Publication, Sensitive, Settings
from allocation.files.reader import ParsedMarket
from allocation.outcome import Outcome
from enrollment.draw import market_files, second_process
from enrollment.draw.run_rows import OPENING, Run
from enrollment.eligibility.tiers import rules_in_round
from enrollment.ground import bulk_copy
from enrollment.ground.vault import row_name, seal_file
from enrollment.season.facts import SENSITIVE_GROUNDS
from enrollment.season.rounds import Round

OF_A_CITY = 10_000
"""From so many openings on they are made by two processes."""

OPENING_COLUMNS = {"run_id": "uuid", "application_id": "uuid", "content": "bytea"}
_FILES = table("files_of_run", column("bundle"), column("public_file"))
BLOCK_COLUMNS = {"code": "text", "programme": "text", "pool": "text", "shown": "boolean"}


@dataclass(frozen=True)
class BlockOfPool:
    """In which block of the public file a pool is counted, and whether its line is told there."""

    block: str
    programme: str
    pool: str
    shown: bool


@dataclass(frozen=True)
class RunFiles:
    """`openings` makes packed openings (`allocation.files.opening_packing`) while they are stored: all at once they would be the
    most of a worker's memory.  `children` are those who get one (their numbers in the market), in parts.  `settings` is
    `publication.json` of the full file.  `public` is the public file in parts.
    """

    public: Sequence[bytes]
    settings: bytes
    openings: Openings
    children: Sequence[Array]
    blocks: tuple[BlockOfPool, ...]


def settings_of(
    session: Session, round_: Round, files: Mapping[str, bytes], *, run: int, replays: int | None
) -> Settings:
    """The settings of a run's publication: what is sensitive under the round's rules, and the secret of hidden lines.

    The secret comes from the salts, which only the full file has: so the same run always gives the same public file.
    """
    secret = lottery.tagged_hash("run-secret/2", files["salts.csv"], str(run).encode())
    return Settings(run, secret, sensitive(session, round_, files), replays, hides_few_moves=replays is not None)


def sensitive(session: Session, round_: Round, files: Mapping[str, bytes]) -> Sensitive:
    """The groups of sensitive grounds, and each programme with the tiers that point to such a ground."""
    programmes, pools = market_files.read_places(files)
    rules = {area: rules_in_round(session, round_, area) for area in {row.area for row in programmes}}
    tiers = {(row.programme, tier) for row in programmes for tier in rules[row.area].sensitive_tiers(row.nature)}
    groups = {group for pool in pools for group in pool.groups.split(";")}
    return Sensitive(
        frozenset(tiers), frozenset(group for group in groups if group.rpartition(".")[2] in SENSITIVE_GROUNDS)
    )


def make(
    files: Mapping[str, bytes],
    parsed: ParsedMarket,
    draw: DrawRecord2,
    settings: Settings,
    outcome: Outcome,
    without: Array,
) -> RunFiles:
    """All files of a run; `parsed` is the market of `files`.  Needs no transaction.  Children `without` (their numbers) get no
    opening: nothing could change for them."""
    publication = Publication(files, draw, settings, outcome, parsed)
    pool_names, programmes = publication.market.pools.name, publication.programme_codes
    return RunFiles(
        public=public_file.write_parts(publication),
        settings=settings.file(),
        openings=Openings(publication),
        children=[part for part in (each[~np.isin(each, without)] for each in opening.parts(publication)) if len(part)],
        blocks=tuple(
            BlockOfPool(block.code, programmes[block.programme], pool_names(pool), not block.hidden)
            for block in publication.blocks
            for pool in block.pools
        ),
    )


def copy_blocks(session: Session, blocks: Iterable[BlockOfPool]) -> None:
    """Fill the temporary table `block_of_run`, which the rows of the cut-offs are joined with."""
    rows = ((each.block, each.programme, each.pool, each.shown) for each in blocks)
    bulk_copy.copy_to_temporary_table(session, "block_of_run", BLOCK_COLUMNS, rows)


def save_openings(session: Session, run_id: uuid.UUID, given_out: RunFiles, applications: Array) -> None:
    """Store the openings, sealed; those of a city are made by two processes.  `applications` are those of the children
    (`result_rows.applications_of`)."""

    def sealed(children: Array) -> list[tuple[bytes, bytes]]:
        made = []
        for child, content in zip(children.tolist(), given_out.openings.packed(children), strict=True):
            application = uuid.UUID(applications[child].decode())
            made.append((application.bytes, seal_file(content, OPENING, row_name(run_id, application))))
        return made

    alone = sum(map(len, given_out.children)) < OF_A_CITY
    with second_process.spread(sealed, alone=alone) as each:
        rows = (
            (run_id, uuid.UUID(bytes=application), content)
            for part in each(given_out.children)
            for application, content in part
        )
        bulk_copy.copy_rows(session, "opening", OPENING_COLUMNS, rows)


def save_files(session: Session, run_id: uuid.UUID, full: Sequence[bytes], public: Sequence[bytes] | None) -> None:
    """Store the full and the public file, given in parts: in a city they have hundreds of megabytes.  They never change once the
    run has a digest."""
    bulk_copy.copy_large_values(session, "files_of_run", {"bundle": full} | ({"public_file": public} if public else {}))
    values = {"bundle": select(_FILES.c.bundle).scalar_subquery()}
    if public:
        values["public_file"] = select(_FILES.c.public_file).scalar_subquery()
    stored = update(Run).where(Run.id == run_id).values(values)
    session.execute(stored.execution_options(synchronize_session=False))
