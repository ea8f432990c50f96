"""Would it be noticed? Each kind of tampering, made on a copy, with what verification says of it."""

from governance.proof.drill.drill import Drill, Outcome

__all__ = ["Drill", "Outcome"]
