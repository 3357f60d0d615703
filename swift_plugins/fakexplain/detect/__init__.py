"""An image in, an answer out: inputs, engines, and what is written of each answer."""
