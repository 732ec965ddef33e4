"""Sources: fetch a task's repository, wherever it comes from, as plain files. One fetcher for each kind.

Tasks come from strangers: nothing of what is fetched is run or followed, and no ``.git`` of theirs stays (git
would run what its configuration says).
"""

import os
import shutil
import subprocess
from functools import singledispatch
from pathlib import Path

import pathspec

from debug_gym.errors import TaskError
from debug_gym.sandbox.archives import unpack
from debug_gym.sandbox.server.files import remove_tree
from debug_gym.task import (
    ArchiveSource,
    DirectorySource,
    FilesSource,
    GitSource,
    ImageSource,
    SealedSource,
    Source,
    as_bytes,
)

MAX_DEPTH = 100
"""Folders below each other; what lies deeper cannot be harvested from a sandbox anyway."""
_GIT_VARIABLES = {
    "HOME": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_SSH_COMMAND": "ssh -o BatchMode=yes",
    "GIT_AUTHOR_NAME": "debug-gym",
    "GIT_AUTHOR_EMAIL": "debug-gym@localhost",
    "GIT_COMMITTER_NAME": "debug-gym",
    "GIT_COMMITTER_EMAIL": "debug-gym@localhost",
    "GIT_AUTHOR_DATE": "2000-01-01T00:00:00Z",
    "GIT_COMMITTER_DATE": "2000-01-01T00:00:00Z",
}


def fetch(source: Source, target: Path) -> None:
    """Put a repository into a folder that does not exist yet.

    Raises:
        TaskError: the source is missing, unreadable, empty or dangerous, or cannot be had as files.
    """
    try:
        _fetch(source, target)
        _strip(target)
        if isinstance(source, GitSource | ArchiveSource):
            _narrow(source, target)
    except RecursionError:
        raise TaskError(f"the folders of the repository are nested too deeply: {source.where}") from None
    if not any(target.iterdir()):
        raise TaskError(f"the repository of the task is empty: {source.where}")


@singledispatch
def _fetch(source: Source, target: Path) -> None:
    raise TaskError(f"there is nothing that fetches a source of the kind {source.kind!r}")


def git(folder: Path, *arguments: str, check: bool = True, stdin: str = "") -> int:
    """Run git in a folder, with no configuration but the folder's own; return its exit code.

    Raises:
        TaskError: git is not installed, or fails and ``check`` is set.
    """
    variables = {"PATH": os.environ.get("PATH", os.defpath), **_GIT_VARIABLES}
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            env=variables,
            input=stdin.encode(),
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        raise TaskError(
            "git is not installed; it is needed for tasks that come from a git repository"
        ) from None
    if check and done.returncode:
        raise TaskError(
            f"git {' '.join(arguments[:1])} failed: {done.stderr.decode(errors='replace').strip()}"
        )
    return done.returncode


def _strip(target: Path) -> None:
    """Remove every ``.git``; refuse what is too deep to work with."""
    for folder, folders, files in os.walk(target):
        for name in (*folders, *files):
            if name.lower() == ".git":
                path = Path(folder, name)
                if path.is_dir() and not path.is_symlink():
                    remove_tree(str(path))
                else:
                    path.unlink()
        folders[:] = [name for name in folders if name.lower() != ".git"]
        if folder.count("/") - str(target).count("/") > MAX_DEPTH:
            raise TaskError(f"the repository has more than {MAX_DEPTH} folders below each other: {folder}")


@_fetch.register
def _(source: ImageSource, target: Path) -> None:
    raise TaskError(
        f"the repository lies in the image {source.image}, which this sandbox cannot start: "
        "choose one that can: --sandbox docker or --sandbox kubernetes"
    )


@_fetch.register
def _(source: SealedSource, target: Path) -> None:
    raise TaskError(
        f"this is a task as an agent sees it, of another process: start sandboxes of {source.where} there"
    )


@_fetch.register
def _(source: ArchiveSource, target: Path) -> None:
    unpack(source, target)


@_fetch.register
def _(source: FilesSource, target: Path) -> None:
    target.mkdir()
    try:
        for path, content in source.files.items():
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            (target / path).write_bytes(as_bytes(content))
    except OSError as error:
        raise TaskError(f"the task's file {path} cannot be written: {error.strerror}") from None


@_fetch.register
def _(source: DirectorySource, target: Path) -> None:
    if not source.path.is_dir():
        raise TaskError(f"the task's folder {source.path} does not exist or is not a folder")
    try:
        shutil.copytree(source.path, target, symlinks=True, ignore=source.left_out)
    except shutil.Error as error:
        path, _, reason = error.args[0][0]
        raise TaskError(f"cannot copy {path}: {reason}") from None


@_fetch.register
def _(source: GitSource, target: Path) -> None:
    _clone(source, target)


def check_out(source: GitSource, target: Path) -> str:
    """Put the files of a commit into a folder that does not exist yet, and give the commit's full id.

    Raises:
        TaskError: it cannot be had, or git is not installed.
    """
    commit = _clone(source, target)
    _strip(target)
    return commit


def _clone(source: GitSource, target: Path) -> str:
    for text in (source.url, source.commit):
        if text.startswith("-"):
            raise TaskError(f"{text!r} is an option of git, not a repository or a commit")
    target.mkdir()
    git(target, "init", "-q")
    # A server may refuse to hand out a bare commit hash; then everything is fetched.
    fetched = git(target, "fetch", "-q", "--depth=1", source.url, source.commit, check=False)
    if fetched:
        git(target, "fetch", "-q", "--tags", source.url, "+refs/heads/*:refs/remotes/origin/*")
    git(target, "checkout", "-q", "--detach", source.commit if fetched else "FETCH_HEAD", "--")
    return (target / ".git/HEAD").read_text().strip()


# -- a part of what was published, with the bug put in -------------------------------------------


def _narrow(source: GitSource | ArchiveSource, target: Path) -> None:
    """Keep what is wanted, and apply the patch that makes the bug."""
    if source.subfolder:
        _keep_subfolder(source, target)
    if source.include or source.exclude:
        wanted = pathspec.GitIgnoreSpec.from_lines(source.include or ("*",))
        unwanted = pathspec.GitIgnoreSpec.from_lines(source.exclude)
        for folder, folders, files in os.walk(target, topdown=False):
            links = [name for name in folders if Path(folder, name).is_symlink()]
            for name in (*files, *links):
                path = Path(folder, name)
                relative = path.relative_to(target).as_posix()
                if not wanted.match_file(relative) or unwanted.match_file(relative):
                    path.unlink()
            if folder != str(target) and not any(Path(folder).iterdir()):
                Path(folder).rmdir()
    if source.bug_patch is not None:
        _apply(source.bug_patch, target, reverse=source.reverse)


def _keep_subfolder(source: GitSource | ArchiveSource, target: Path) -> None:
    wanted, whole = target / source.subfolder, target.with_name(f"{target.name}-whole")
    if not wanted.is_dir() or wanted.resolve() != target.resolve() / source.subfolder:  # behind a link
        raise TaskError(f"{source.where} has no folder {source.subfolder}")
    target.rename(whole)
    (whole / source.subfolder).rename(target)
    remove_tree(str(whole))


def _apply(patch: str, target: Path, *, reverse: bool) -> None:
    """Apply a unified diff as git does, which does not follow it out of the folder."""
    direction = ["--reverse"] if reverse else []
    git(target, "init", "-q")
    try:
        git(target, "apply", "--whitespace=nowarn", *direction, "-", stdin=patch)
    except TaskError as error:
        raise TaskError(f"the bug's patch does not apply: {error}") from None
    finally:
        remove_tree(str(target / ".git"))
