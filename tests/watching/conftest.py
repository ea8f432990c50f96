"""A script that ran under `labeltrail run`, once for all who only read it."""

from __future__ import annotations

import pytest
from watching.scripts import TRAIN, captured, plain, project_with


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """(project, how the captured script ended, how it ended alone)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("capture_home")))
        folder = project_with(tmp_path_factory.mktemp("captured"), train=TRAIN)
        return folder, captured(folder, "train.py", "7"), plain(folder, "train.py", "7")
