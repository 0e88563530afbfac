"""Words for texts that are not YAML: what the libraries say, and what to write instead. Loaded for an error only."""

from __future__ import annotations

KEY_HINT = "quote a text that begins with { or [; a template with {{ }} is rendered before it is read"
HINTS = {
    "%": "quote a text that begins with %: '%gcc'",
    "@": "quote a text that begins with @: '@1.2:'; a template with @NAME@ is rendered before it is read",
    "`": "quote a text that begins with `",
    "\t": "write blanks in place of tabs",
}
LONGEST = 200


def words_of(error: Exception) -> str:
    """What went wrong, in one line and without the excerpt."""
    problem = str(getattr(error, "problem", None) or str(error) or type(error).__name__)
    if isinstance(error, RecursionError):
        problem = "nested too deep"
    words = " ".join(problem.split())
    return words if len(words) <= LONGEST else f"{words[:LONGEST]}..."


def place_of(error: Exception, text: str) -> tuple[int, int] | None:
    """Line and column that the error names, or those of the character that it refuses."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark:
        return mark.line + 1, mark.column + 1
    at = getattr(error, "position", None)
    return (text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)) if isinstance(at, int) else None


def hint_for(text: str, place: tuple[int, int] | None, error: Exception) -> str:
    """What to write instead, guessed from the text at the place of the error."""
    if "another document" in words_of(error):
        return "a file is one document: remove what follows '---'"
    if getattr(error, "character", None) is not None:
        return "remove the character, or write it as \\x.. in double quotes"
    lines = text.split("\n")
    line = lines[place[0] - 1] if place and place[0] <= len(lines) else ""
    column = place[1] - 1 if place else 0
    if "{{" in text or "{%" in text:
        return "this looks like a template: render it before it is read"
    if line[column : column + 1] in HINTS:
        return HINTS[line[column]]
    if "\t" in line[: column + 1]:
        return HINTS["\t"]
    if line[column : column + 1] == ":":
        return "quote a text that holds ': '"
    return (
        "items of one list or mapping begin in one column; quote a text that holds ': ' or begins with a special character" if line else ""
    )
