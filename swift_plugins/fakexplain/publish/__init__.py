"""A trained model as a folder that any server loads, with the same prompts and the same boxes."""
