"""The content of a JSON file, changed in one place."""

import copy


def changed_at(content, path, value=...):
    """A copy of the content with the value at a path changed, or without it."""
    content = copy.deepcopy(content)
    *way, last = path
    inner = content
    for step in way:
        inner = inner[step]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return content


def without(data, name):
    """The fields of an object but one."""
    return {key: value for key, value in data.items() if key != name}
