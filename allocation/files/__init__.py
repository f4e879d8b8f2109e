"""Markets and results as CSV files, read and written.

Files are UTF-8 with a header row and LF line ends, no quoting; rows are written in the order of their key columns.
Reading accepts any order and lists everything wrong by file, row (the header is row 1) and column.
"""

from allocation.files.archive import read_files
from allocation.files.layout import MARKET_FILES, RESULT_FILES
from allocation.files.reader import parse_market, read_market
from allocation.files.writer import market_files, result_blocks, result_files

__all__ = [
    "MARKET_FILES", "RESULT_FILES", "market_files", "parse_market", "read_files", "read_market", "result_blocks", "result_files",
]  # fmt: skip
