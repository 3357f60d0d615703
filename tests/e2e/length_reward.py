"""A plugin for tests alone: a reward that differs between completions whatever they hold, their length."""

from swift.rewards import ORM, orms


class Length(ORM):
    def __call__(self, completions, **kwargs):
        return [len(text) / 100 for text in completions]


orms["length"] = Length
