"""What the consoles print may quote a file; and a terminal waits for nothing that only a computation needs."""

import subprocess
import sys

from DiffuFuseMedLib.cli.console import as_markdown, out_console
from rich.table import Table


def test_no_escape_sequence_reaches_the_terminal(capsys):
    with out_console.capture() as captured:
        out_console.print("\x1b[31mred\x9b\nnext line", markup=False, soft_wrap=True)
    assert captured.get() == "_[31mred_\nnext line\n"


def test_nor_a_table():
    table = Table("annotator")
    table.add_row("reader\x1b]0;title\x07")
    assert "reader_]0;title_" in as_markdown([table])


def test_the_commands_are_there_before_anything_that_only_computing_needs():
    """`diffufusemed --help` and `web` would else wait for seconds, and the page's server keep it all in memory."""
    code = "import sys, DiffuFuseMedLib.cli; print({'torch', 'monai', 'matplotlib'} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert told.stdout == "set()\n", told.stderr
