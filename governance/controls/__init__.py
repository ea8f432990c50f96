"""What do frameworks ask? A shelf of YAML files, each one framework, in our own words."""

from governance.controls.framework import (
    Category,
    Control,
    Framework,
    Function,
    frameworks,
    load_framework,
    read_framework,
)

__all__ = ["Category", "Control", "Framework", "Function", "frameworks", "load_framework", "read_framework"]
