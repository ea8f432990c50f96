"""Where is a person in the data, and how is she taken out of it?"""
