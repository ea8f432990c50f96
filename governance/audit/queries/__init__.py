"""Which questions can the records answer? A shelf: each module one question or a small family of them."""
