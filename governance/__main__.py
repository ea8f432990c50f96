"""`python -m governance` is `labeltrail`."""

from governance.cli import main

main()
