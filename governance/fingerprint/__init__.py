"""How would we notice that a function, a class or an object behaves differently from before?"""

from governance.fingerprint.behaviour import Behaviour, behaviour

__all__ = ["Behaviour", "behaviour"]
