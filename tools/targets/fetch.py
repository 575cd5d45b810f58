"""Brings what a target needs from the Hugging Face hub onto this machine.

The host calls it before the lab starts, which opens everything offline. Imports no torch.
"""

from __future__ import annotations

from pathlib import Path

from hubel.tools.spec import ToolError

#: Configuration and weights; never pickles. Those in subfolders are of other runtimes.
WANTED = ["*.json", "*.safetensors"]
UNWANTED = ["*/*"]


def fetch(spec: str) -> None:
    """Download what a target needs, if it is not here yet. Nothing to do for most kinds.

    Args:
        spec: The target as users name it; control targets are followed to their base.

    Raises:
        ToolError: The repository does not exist, is closed to this user, or cannot be reached.
    """
    kind, _, argument = _base(spec)
    if kind == "hf" and not is_path(argument):
        _snapshot(argument, local=False)


def hub_folders(spec: str) -> list[Path]:
    """Folders of the hub's cache on this machine that opening a target reads; touches no network.

    Args:
        spec: The target as users name it.
    """
    from huggingface_hub.constants import HF_HUB_CACHE

    kind, _, argument = _base(spec)
    if kind == "hf" and not is_path(argument):
        # A snapshot is made of links into the repository's folder.
        repository = Path(HF_HUB_CACHE) / f"models--{argument.replace('/', '--')}"
        return [repository] if repository.is_dir() else []
    return [Path(HF_HUB_CACHE)] if kind == "timm" and Path(HF_HUB_CACHE).is_dir() else []


def is_path(argument: str) -> bool:
    """Whether the argument of ``hf:`` means a folder on this machine rather than a repository."""
    return Path(argument).expanduser().is_dir() or argument.startswith((".", "/", "~"))


def folder(argument: str) -> Path:
    """Where the files of ``hf:ARGUMENT`` lie on this machine; touches no network.

    Raises:
        ToolError: There is no such folder, or the repository was never fetched.
    """
    if not is_path(argument):
        return _snapshot(argument, local=True)
    path = Path(argument).expanduser()
    if not path.is_dir():
        raise ToolError(f"There is no folder '{path}': 'hf:' takes a model's folder or repository.")
    return path


def _base(spec: str) -> tuple[str, str, str]:
    """Kind and argument of a target; of a control, those of the network it is a control of."""
    parts = spec.strip().partition(":")
    while parts[0] in ("null", "shuffled"):
        parts = parts[2].partition(":")
    return parts


def _snapshot(repository: str, *, local: bool) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        found = snapshot_download(
            repository, allow_patterns=WANTED, ignore_patterns=UNWANTED, local_files_only=local
        )
    except HFValidationError:
        raise ToolError(
            f"'hf:{repository}' is neither a folder here nor a repository's name, as in "
            "'hf:google/vit-base-patch16-224'."
        ) from None
    except LocalEntryNotFoundError:
        where = "is not on this machine" if local else "cannot be fetched: the hub is out of reach"
        raise ToolError(
            f"The repository '{repository}' {where}. Fetch it once while online "
            f"(hf download {repository}), or name a folder."
        ) from None
    except OSError as error:
        raise ToolError(
            f"The repository '{repository}' cannot be fetched: {str(error).splitlines()[0]}"
        ) from None
    return Path(found)
