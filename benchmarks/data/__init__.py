"""Data that benchmarks are made of: fetched once, checked, and kept in the cache folder; or a copy on disk.

``dataset`` gives the rows of a data set of the Hugging Face hub, ``repository`` the files of a commit of a
git repository. Both take ``data_dir``, the copy that ``--data-dir`` names; then nothing is fetched. The
rest reads files.
"""

from debug_gym.benchmarks.data.at_hand import NotFetchedError, only_at_hand
from debug_gym.benchmarks.data.files import files_in, read, read_text, tree_digest
from debug_gym.benchmarks.data.hub import dataset
from debug_gym.benchmarks.data.repositories import Repository, repository
from debug_gym.benchmarks.data.rows import Rows

__all__ = [
    "NotFetchedError",
    "Repository",
    "Rows",
    "dataset",
    "files_in",
    "only_at_hand",
    "read",
    "read_text",
    "repository",
    "tree_digest",
]
