"""The table of prepared images."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from debug_gym.sandbox.docker.kept import Kept


def show(console: Console, images: "list[Kept]", total: int) -> None:
    """Print what each was made from, how large it is, and when it was made; then the sum of all, in bytes."""
    table = Table(header_style="bold", show_edge=False, pad_edge=False)
    table.add_column("made from", overflow="fold")
    table.add_column("id")
    table.add_column("MB", justify="right")
    table.add_column("own MB", justify="right")
    table.add_column("made")
    for image in images:
        sizes = [f"{size / 1e6:,.0f}" for size in (image.own + image.base, image.own)]
        table.add_row(
            image.made_from, image.id.partition(":")[2][:10], *sizes, image.made[:16].replace("T", " ")
        )
    if images:
        console.print(table)
    count = f"{len(images)} prepared image{'s' * (len(images) != 1)}"
    console.print(f"{count}, {total / 1e9:.1f} GB with what they are made from", highlight=False)
