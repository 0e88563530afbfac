"""Why a hash serves, or why none does: the funnel of the gates, the nearest misses, the edits that would gain a hit."""
