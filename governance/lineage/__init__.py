"""What does a record come from, and what came of it?"""
