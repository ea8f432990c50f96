"""Begins the watch in a Python process that `labeltrail run` started, and then is as if it had never been there."""

import os
import sys


def _begin() -> None:
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - nothing is imported that need not be
    folder = os.environ.pop("LABELTRAIL_CAPTURE", None)
    sys.path[:] = [path for path in sys.path if os.path.abspath(path or ".") != here]  # noqa: PTH100
    former = os.environ.pop("LABELTRAIL_PYTHONPATH", None)
    if former:
        os.environ["PYTHONPATH"] = former
    else:
        os.environ.pop("PYTHONPATH", None)
    # The environment's own sitecustomize, which ours stood before.
    del sys.modules["sitecustomize"]
    try:
        import sitecustomize  # noqa: F401
    except ImportError:
        sys.modules["sitecustomize"] = type(sys)("sitecustomize")
    if folder:
        try:
            from governance.watching.child import begin

            begin(folder)
        except Exception as error:
            print(f"labeltrail: nothing is captured: {type(error).__name__}: {error}", file=sys.stderr)


_begin()
