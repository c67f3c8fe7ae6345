"""How the things that ship were made: recipes to run from a checkout, no part of the package."""
