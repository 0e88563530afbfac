"""Package recipes, read without running them."""

from resolver.formats.recipe.reader import RecipeReader
from resolver.formats.recipe.statements import Unread

__all__ = ["RecipeReader", "Unread"]
