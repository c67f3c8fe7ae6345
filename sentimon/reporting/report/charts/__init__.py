"""Charts as the inside of an SVG: pure, from numbers to text, with no colour of their own."""
